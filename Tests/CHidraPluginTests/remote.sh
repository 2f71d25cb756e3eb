#!/usr/bin/env bash
# Runs programs/remote.c against a daemon that listens on the loopback interface, in a home of its own.
# Usage: remote.sh HIDRAD HIDRA ENCODER-FOLDER COMMAND..., which is given two files of keys and the encoder's name.
set -euo pipefail
daemon=$1 cli=$2 encoder=$3
shift 3
home=$(mktemp -d)
export HIDRA_HOME=$home
unset HIDRA_KEY HIDRA_SERVER
process=
trap '[ -z "$process" ] || kill "$process"; wait; rm -rf "$home"' EXIT
port=$((20000 + RANDOM % 10000))
"$daemon" --listen "tcp://127.0.0.1:$port" 2>"$home/log" &
process=$!
for _ in $(seq 100); do [ -e "$home/daemon.lock" ] && "$cli" ls >/dev/null 2>&1 && break; sleep 0.1; done
"$cli" pull "$encoder" --name minilm >/dev/null 2>&1
for name in good revoked; do "$cli" keys new $name --role train -o "$home/$name.key" >/dev/null; done
"$cli" keys revoke revoked >/dev/null
"$@" "$home/good.key" "$home/revoked.key" minilm

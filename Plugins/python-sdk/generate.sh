#!/usr/bin/env bash
# Regenerates src/hidra/v1 from proto/hidra/v1. Run by proto/generate.sh.
#
# Needs protoc 3.20 to 3.25 (protobuf 20 to 25, Debian's protobuf-compiler): what later ones write refuses to run with a protobuf
# package older than themselves, while theirs runs with every one from 4.25 on.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
version="$(protoc --version | sed -E 's/^libprotoc (3\.)?([0-9]+).*/\2/')"
if ((version < 20 || version > 25)); then
    echo "generate.sh: $(protoc --version) writes Python that is bound to its own version; use protoc 3.20 to 3.25" >&2
    exit 1
fi
generated="$here/src/hidra/v1"
mkdir -p "$generated"
rm -f "$generated"/*_pb2.py "$generated"/*_pb2.pyi
cd "$here/../../proto"
protoc -I . --python_out="$here/src" --pyi_out="$here/src" hidra/v1/*.proto
[[ -e "$generated/__init__.py" ]] || echo '"""The messages of the protocol, version 1: generated, see `proto/README.md`."""' > "$generated/__init__.py"

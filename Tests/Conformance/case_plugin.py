"""A plugin, run as its users do, against what it should bear. ``command`` ends by itself when all is well."""

import os
import shlex
import subprocess

from peer import Peer
from proxy import Proxy
from wire import PART_PARTIAL, Envelope, unknown

UNAVAILABLE = 6


def run(command, home, seconds=120):
    """Exit status and what it printed."""
    environment = {**os.environ, "HIDRA_HOME": home, "HIDRA_DAEMON": "/usr/bin/false"}
    done = subprocess.run(
        shlex.split(command), env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds
    )
    return done.returncode, done.stdout.decode(errors="replace")


def plugin_later_daemon(command, daemon):
    """it does its work with a daemon that sends fields, kinds and heartbeats it does not know"""

    def later(envelope, frames):
        if envelope.WhichOneof("kind") == "heartbeat" or envelope.part == PART_PARTIAL:
            return [frames]
        strange = Envelope(request_id=envelope.request_id, part=PART_PARTIAL)
        return [[strange.SerializeToString() + unknown(900)], [frames[0] + unknown(1000, 40), *frames[1:]]]

    with Proxy(daemon) as proxy:
        proxy.replies = later
        status, output = run(command, proxy.home)
        assert status == 0, output


plugin_later_daemon.is_long = True


def plugin_lost_daemon(command, daemon):
    """it ends, and says so by its status, when the daemon goes away in the middle"""
    with Proxy(daemon) as proxy:

        def lose(envelope, frames):
            if envelope.WhichOneof("kind") in ("train", "attach", "serve", "predict", "embed"):
                proxy.cut_soon()
                return []
            return [frames]

        proxy.requests = lose
        status, output = run(command, proxy.home, seconds=30)
        assert status == UNAVAILABLE and output, f"status {status}: {output}"


def plugin_later_version(command, daemon):
    """it ends, and says so by its status, with a daemon that speaks only a later version"""

    def later(welcome):
        welcome.protocol = welcome.protocol_min = 2

    with Peer(welcome=later) as peer:
        status, output = run(command, peer.home, seconds=30)
        assert status == UNAVAILABLE and output, f"status {status}: {output}"

"""The messages alone, none of the SDK, and a client of a few lines for the suite's own questions."""

import os
import secrets
import sys
import types
from pathlib import Path

import zmq

REPOSITORY = Path(__file__).resolve().parents[2]
_generated = types.ModuleType("hidra")
_generated.__path__ = [str(REPOSITORY / "Plugins/python-sdk/src/hidra")]
sys.modules["hidra"] = _generated

from hidra.v1.envelope_pb2 import FLOAT32, PART_PARTIAL, Envelope  # noqa: E402

context = zmq.Context()


def identity():
    return bytes([secrets.randbelow(255) + 1]) + secrets.token_bytes(15)


def unknown(field, size=3):
    """Bytes of a field that nobody knows, behind those of any message."""
    key, out = field << 3 | 2, b""
    while key > 127:
        out += bytes([key & 127 | 128])
        key >>= 7
    return out + bytes([key, size]) + b"?" * size


def parse(frame):
    return Envelope.FromString(frame)


class RawClient:
    """One request at a time. Says hello unless told not to."""

    def __init__(self, home, hello=True):
        directory = (Path(home) / "daemon.lock").read_text().split("\n")[1]
        name, self._last = identity(), 0
        self.sockets = {}
        for channel in ("control", "work"):
            socket = self.sockets[channel] = context.socket(zmq.DEALER)
            socket.setsockopt(zmq.ROUTING_ID, name)
            socket.setsockopt(zmq.LINGER, 200)
            socket.connect(f"ipc://{directory}/{channel}.sock")
        if hello:
            request = Envelope()
            request.hello.protocol_min = request.hello.protocol_max = 1
            request.hello.client = "conformance"
            self.ask("control", request)

    def ask(self, channel, request, tensors=(), extra=b"", seconds=20):
        """The FINAL to a request. ``extra``: bytes behind the envelope."""
        self._last += 1
        request.request_id = self._last
        return self.send(channel, [request.SerializeToString() + extra, *tensors], self._last, seconds)

    def send(self, channel, frames, id, seconds=20):
        socket = self.sockets[channel]
        socket.send_multipart(frames)
        while socket.poll(int(seconds * 1000)):
            reply = parse(socket.recv_multipart()[0])
            kind = reply.WhichOneof("kind")
            if reply.request_id == id and reply.part != PART_PARTIAL and not (id == 0 and kind == "heartbeat"):
                return reply
        raise TimeoutError(f"no reply on the {channel} socket")

    def begin(self, channel, request):
        """Sends a request whose replies are then taken with `receive`. Returns its id."""
        self._last += 1
        request.request_id = self._last
        self.sockets[channel].send(request.SerializeToString())
        return self._last

    def receive(self, channel, id, seconds=20):
        """The next reply to a request, PARTIAL or FINAL."""
        while self.sockets[channel].poll(int(seconds * 1000)):
            reply = parse(self.sockets[channel].recv_multipart()[0])
            if reply.request_id == id:
                return reply
        raise TimeoutError(f"no reply on the {channel} socket")

    def close(self):
        goodbye = Envelope()
        goodbye.goodbye.reason = "done"
        self.sockets["control"].send(goodbye.SerializeToString())
        for socket in self.sockets.values():
            socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def heads(home):
    with RawClient(home) as client:
        request = Envelope()
        request.list.SetInParent()
        return [head.name for head in client.ask("work", request).list_reply.heads]


def jobs(home):
    """Subject and phase of what runs."""
    with RawClient(home) as client:
        request = Envelope()
        request.status.SetInParent()
        return [(job.subject, job.progress.phase) for job in client.ask("control", request).status_reply.jobs]


def hidrad():
    return os.environ.get("HIDRA_DAEMON") or str(REPOSITORY / ".build/release/hidrad")

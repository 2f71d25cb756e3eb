"""The daemon itself, asked without an SDK. Once, not for each program."""

import os
import shutil
import subprocess
import sys
import tempfile
import time

import zmq
from wire import FLOAT32, REPOSITORY, Envelope, RawClient, context, identity, unknown


def _listing():
    request = Envelope()
    request.list.SetInParent()
    return request


def once_unknown(daemon):
    """the daemon ignores unknown fields, and says `unsupported` to unknown kinds, tasks and element types"""
    with RawClient(daemon.home) as client:
        assert client.ask("work", _listing(), extra=unknown(1000, 50)).WhichOneof("kind") == "list_reply"
        assert client.ask("work", Envelope(), extra=unknown(900)).error.code == "unsupported"
        request = Envelope()
        request.train.head, request.train.encoder, request.train.data, request.train.task = "h", "minilm", "d", 99
        assert client.ask("work", request).error.code == "unsupported"
        request = _listing()
        request.tensors.add(name="t", type=99, shape=[1])
        assert client.ask("work", request, [b"1234"]).error.code == "unsupported"


def once_malformed(daemon):
    """the daemon answers frames that cannot be read, or that do not belong together, and goes on"""
    with RawClient(daemon.home) as client:
        assert client.send("work", [b"\xff\x13\x37"], 0).error.code == "invalid_argument"
        for shape, bytes in (([2], b"1234"), ([1], b""), ([1 << 62, 4], b"")):
            request = _listing()
            request.tensors.add(name="t", type=FLOAT32, shape=shape)
            assert client.ask("work", request, [bytes]).error.code == "invalid_argument"
        assert client.ask("work", _listing(), [b""] * 70).error.code == "limit_exceeded"
        assert client.ask("control", _listing()).error.code == "invalid_argument"
        reply = Envelope()
        reply.list_reply.SetInParent()
        assert client.ask("work", reply).error.code == "invalid_argument"
        assert client.ask("work", _listing()).WhichOneof("kind") == "list_reply"


def once_versions(daemon):
    """the daemon refuses a client that speaks only later versions, and takes one that also speaks its own"""
    with RawClient(daemon.home, hello=False) as client:
        request = Envelope()
        request.hello.protocol_min, request.hello.protocol_max = 2, 9
        assert client.ask("control", request).error.code == "incompatible_version"
        request.hello.protocol_min = 1
        assert client.ask("control", request).welcome.protocol == 1


def once_heartbeats(daemon):
    """the daemon echoes heartbeats, and sends its own every two seconds"""
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.ROUTING_ID, identity())
    socket.connect(f"ipc://{daemon.directory}/control.sock")
    request = Envelope(request_id=7)
    request.heartbeat.SetInParent()
    socket.send(request.SerializeToString())
    ids, until = [], time.monotonic() + 3
    while time.monotonic() < until:
        if socket.poll(100):
            ids.append(Envelope.FromString(socket.recv()).request_id)
    socket.close(0)
    assert 7 in ids and 0 in ids, ids


def once_broken_promise(daemon):
    """the daemon takes for lost who has promised heartbeats and sends none, and says so; who promised nothing may be silent"""
    with RawClient(daemon.home, hello=False) as promised, RawClient(daemon.home) as silent:
        request = Envelope()
        request.hello.protocol_min = request.hello.protocol_max = request.hello.heartbeat_seconds = 1
        assert promised.ask("control", request).welcome.protocol == 1
        goodbye, until = None, time.monotonic() + 8
        while goodbye is None and time.monotonic() < until:
            if promised.sockets["control"].poll(100):
                reply = Envelope.FromString(promised.sockets["control"].recv_multipart()[0])
                goodbye = reply.goodbye.reason or goodbye
        assert goodbye, "it was still taken for alive"
        assert silent.ask("work", _listing()).WhichOneof("kind") == "list_reply"


once_broken_promise.is_long = True


def once_streams(daemon):
    """answers are streamed in order and without gaps; a cancellation ends them; without `stream` all come at once"""
    with RawClient(daemon.home) as client:
        request = Envelope()
        request.attach.head, request.attach.encoder, request.attach.replace = "raw-stream", "minilm", True
        request.attach.labels.extend(["a", "b"])
        run = client.ask("work", request).attach_reply.run
        request = Envelope()
        request.detach.run, request.detach.keep = run, True
        assert client.ask("work", request).detach_reply.head.name == "raw-stream"

        def predict(count, stream):
            request = Envelope()
            request.predict.heads.append("raw-stream")
            request.predict.texts.extend(f"text number {number}" for number in range(count))
            request.predict.stream = stream
            return request

        whole = client.ask("work", predict(150, False)).predict_reply
        id = client.begin("work", predict(150, True))
        inputs, parts = [], 0
        while True:
            reply = client.receive("work", id)
            assert reply.WhichOneof("kind") == "predict_reply", reply
            if reply.part == 0:
                break
            assert reply.predict_reply.first == len(inputs) and 0 < len(reply.predict_reply.inputs) <= 64
            inputs.extend(reply.predict_reply.inputs)
            parts += 1
        assert parts >= 3 and inputs == list(whole.inputs) and not reply.predict_reply.inputs
        assert reply.predict_reply.encoded == whole.encoded == 150
        id = client.begin("work", predict(6000, True))
        assert client.receive("work", id).part == 1
        cancel = Envelope()
        cancel.cancel.open_request_id = id
        assert client.ask("control", cancel).cancel_reply.cancelled
        count = 64
        while (reply := client.receive("work", id)).part:
            count += len(reply.predict_reply.inputs)
        assert reply.error.code == "cancelled" and count < 6000, (reply, count)


def once_at_most_once(daemon):
    """the same number again is answered as the first time, a gap is a conflict that says which is next"""
    with RawClient(daemon.home) as client:
        request = Envelope()
        request.attach.head, request.attach.encoder, request.attach.replace = "raw", "minilm", True
        request.attach.labels.extend(["a", "b"])
        run = client.ask("work", request).attach_reply.run
        request = Envelope()
        step = request.forward_backward
        step.run, step.sequence = run, 1
        step.batch.columns.add(name="text", values=["x", "y"])
        step.batch.columns.add(name="label", values=["a", "b"])
        step.batch.input_column, step.batch.label_column = "text", "label"
        first = client.ask("work", request)
        again = client.ask("work", request)
        assert first.forward_backward_reply == again.forward_backward_reply and first.forward_backward_reply.loss > 0, first
        step.sequence = 5
        error = client.ask("work", request).error
        assert error.code == "conflict" and error.details["next"] == "2"
        request = Envelope()
        request.detach.run = run
        client.ask("work", request)


def once_no_sdk(daemon):
    """a client written from the .proto files alone attaches a head, trains it with its own loss, asks it and leaves"""
    folder = tempfile.mkdtemp(prefix="hidra-proto-")
    try:
        # What protoc writes, and nothing of the SDK it is committed with.
        shutil.copytree(REPOSITORY / "Plugins/python-sdk/src/hidra/v1", os.path.join(folder, "hidra/v1"))
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "Tests/Conformance/no_sdk_client.py")], capture_output=True, text=True, timeout=60,
            env={**os.environ, "HIDRA_HOME": daemon.home, "PYTHONPATH": folder},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.endswith("; delivery, fault\n"), done.stdout
    finally:
        shutil.rmtree(folder)

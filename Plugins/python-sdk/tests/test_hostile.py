"""A peer that breaks the protocol is an error, never a hang."""

import os
import tempfile
import threading
import time

import numpy as np
import pytest
import zmq

import hidra
from hidra.v1 import control_pb2, envelope_pb2 as pb, events_pb2, registry_pb2, work_pb2


class Peer:
    """Binds the sockets of a daemon and answers hello rightly; ``answer(id, envelope)`` gives the frames for the rest."""

    def __init__(self, answer, welcome=None, publishes=()):
        self.publishes = publishes
        self.hellos = []
        self.directory = tempfile.mkdtemp(prefix="hidra-peer-")
        self._answer = answer
        self._welcome = welcome or control_pb2.Welcome(protocol=1, heartbeat_seconds=2)
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(5)

    def _run(self):
        with zmq.Context() as context:
            sockets = {name: context.socket(kind) for name, kind in
                       (("control", zmq.ROUTER), ("work", zmq.ROUTER), ("events", zmq.XPUB))}  # fmt: skip
            for name, socket in sockets.items():
                socket.linger = 0
                socket.bind(f"ipc://{self.directory}/{name}.sock")
            self._ready.set()
            while not self._stop.is_set():
                if sockets["events"].poll(0):
                    self._subscribed(sockets["events"], sockets["events"].recv())
                for name in ("control", "work"):
                    if not sockets[name].poll(5):
                        continue
                    identity, frame = sockets[name].recv_multipart()[:2]
                    request = pb.Envelope.FromString(frame)
                    kind = request.WhichOneof("kind")
                    if kind == "hello":
                        self.hellos.append(request.hello)
                        reply = [pb.Envelope(request_id=request.request_id, welcome=self._welcome).SerializeToString()]
                    elif kind in ("heartbeat", "goodbye"):
                        continue
                    else:
                        reply = self._answer(request.request_id, request)
                    if reply == "close":
                        self._stop.set()
                    elif reply is not None:
                        sockets[name].send_multipart([identity, *reply])
            for socket in sockets.values():
                socket.close()

    def _subscribed(self, socket, message):
        if not message.startswith(b"\x01sync/"):
            return
        socket.send_multipart([message[1:], pb.Envelope(heartbeat={}).SerializeToString()])
        for frames in self.publishes:
            socket.send_multipart([b"events", *frames])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join(5)


def _frames(id, **fields):
    return [pb.Envelope(request_id=id, **fields).SerializeToString()]


def _embeddings(id, shape, type=pb.FLOAT32, data=b"", name="embeddings"):
    tensor = pb.TensorFrame(name=name, type=type, shape=shape)
    return [*_frames(id, embed_reply=work_pb2.EmbedReply(), tensors=[tensor]), data]


def _text_encoder(answer):
    """Answers ``show`` with an encoder of texts, and the rest as told."""
    encoder = registry_pb2.ShowReply(encoder=registry_pb2.Encoder(name="e", modality="text", width=2))
    return lambda id, request: (
        _frames(id, show_reply=encoder) if request.WhichOneof("kind") == "show" else answer(id, request)
    )


@pytest.mark.parametrize(
    "answer, error, match",
    [
        (lambda id, _: [b"\xff\xff\xff\xff"], hidra.InternalError, "cannot be read"),
        (lambda id, _: [b""], hidra.HidraTimeoutError, "longer than it was given"),
        (lambda id, _: _frames(id, list_reply=registry_pb2.ListReply()), hidra.InternalError, "wrong kind"),
        (lambda id, _: _frames(id), hidra.InternalError, "wrong kind"),
        (lambda id, _: _frames(id, embed_reply=work_pb2.EmbedReply()) + [b"extra"], hidra.InternalError, "announces 0"),
        (lambda id, _: _frames(id, embed_reply=work_pb2.EmbedReply()), hidra.InternalError, "another shape"),
        (lambda id, _: _embeddings(id, [1, 2]), hidra.InternalError, "its shape 8"),
        (lambda id, _: _embeddings(id, [2, 2], data=bytes(16)), hidra.InternalError, "another shape"),
        (lambda id, _: _embeddings(id, [2], data=bytes(8)), hidra.InternalError, "another shape"),
        (lambda id, _: _embeddings(id, [1], pb.FLOAT64, bytes(8)), hidra.InternalError, "another shape"),
        (lambda id, _: _embeddings(id, [1, 2], name="other", data=bytes(8)), hidra.InternalError, "another shape"),
        (lambda id, _: _embeddings(id, [1, 2], 77, bytes(8)), hidra.InternalError, "unknown type"),
        (lambda id, _: _frames(id + 1, embed_reply=work_pb2.EmbedReply()), hidra.HidraTimeoutError, "longer"),
        (lambda id, _: _frames(id, error=pb.Error(code="weird", message="so what")), hidra.InternalError, "so what"),
        (lambda id, _: _frames(0, error=pb.Error(code="invalid_argument", message="what?")), hidra.InvalidArgumentError, "what"),
        (lambda id, _: _frames(0, goodbye=control_pb2.Goodbye(reason="too slow")), hidra.UnavailableError, "too slow"),
        (lambda id, _: "close", hidra.UnavailableError, "is gone"),
        (lambda id, _: None, hidra.HidraTimeoutError, "longer than it was given"),
    ],
)
def test_malformed_replies_are_errors(answer, error, match):
    with Peer(_text_encoder(answer)) as peer, hidra.Client(endpoint=peer.directory, timeout=1.0) as client:
        start = time.monotonic()
        with pytest.raises(error, match=match):
            client.embed("e", ["one"])
        assert time.monotonic() - start < 4


def test_partial_messages_of_unknown_kinds_are_passed_over():
    def answer(id, request):
        replies.append(id)
        return _embeddings(id, [1, 2], data=np.float32([1, 2]).tobytes())

    replies = []
    with Peer(_text_encoder(answer)) as peer, hidra.Client(endpoint=f"ipc://{peer.directory}") as client:
        assert client.embed("e", "one").tolist() == [[1.0, 2.0]] and len(replies) == 1


def _event(sequence):
    return events_pb2.Event(sequence=sequence, name=f"number {sequence}", epoch="e")


def test_events_that_were_dropped_or_damaged_are_asked_for_again():
    def answer(id, request):
        asked.append(request.replay.from_sequence)
        kept = [_event(number) for number in range(asked[-1], 8)]
        return _frames(id, replay_reply=events_pb2.ReplayReply(events=kept, epoch="e"))

    asked = []
    publishes = [_frames(0, event=_event(number)) for number in (3, 4)]
    publishes += [[b"\xff damaged"], [], _frames(0, event=_event(7)), _frames(0, event=_event(7))]
    with Peer(answer, publishes=publishes) as peer, hidra.Client(endpoint=peer.directory) as client:
        with client.events() as stream:
            events = [stream.get(timeout=5) for _ in range(5)]
            assert [event.sequence for event in events] == [3, 4, 5, 6, 7] and asked == [5]
            assert events[2].name == "number 5" and stream.get(timeout=0.1) is None


def test_a_peer_that_falls_silent_is_given_up():
    with Peer(lambda id, request: None) as peer, hidra.Client(endpoint=peer.directory, silence=0.6) as client:
        start = time.monotonic()
        with pytest.raises(hidra.HidraTimeoutError, match="has not answered for 0.6 s"):
            client.status()
        assert time.monotonic() - start < 3


@pytest.mark.parametrize("protocol", [0, 2])
def test_another_protocol_is_refused(protocol):
    welcome = control_pb2.Welcome(protocol=protocol, protocol_min=2, protocol_max=3, daemon_version="9.0")
    with Peer(lambda id, request: None, welcome) as peer:
        with pytest.raises(hidra.IncompatibleVersionError, match="protocol 2 to 3"):
            hidra.Client(endpoint=peer.directory)


def test_answers_to_other_inputs_than_were_asked_about_are_errors():
    reply = work_pb2.PredictReply(inputs=[work_pb2.Prediction()])
    with Peer(_text_encoder(lambda id, _: _frames(id, predict_reply=reply))) as peer:
        with hidra.Client(endpoint=peer.directory) as client:
            with pytest.raises(hidra.InternalError, match="other inputs or heads"):
                client.predict("h", ["a"])
            with pytest.raises(hidra.InternalError, match="other inputs or heads"):
                client.predict("h", ["a", "b"])


def test_replies_that_would_be_too_large_are_asked_for_in_smaller_parts():
    def answer(id, request):
        sizes.append(len(request.embed.texts))
        if sizes[-1] > 3:
            return _frames(id, error=pb.Error(code="limit_exceeded", message="too large"))
        return _embeddings(id, [sizes[-1], 2], data=bytes(8 * sizes[-1]))

    sizes = []
    with Peer(_text_encoder(answer)) as peer, hidra.Client(endpoint=peer.directory) as client:
        assert client.embed("e", [str(i) for i in range(10)]).shape == (10, 2)
    assert sizes == [10, 5, 2, 2, 2, 2, 2]


def test_nobody_listens():
    directory = tempfile.mkdtemp(prefix="hidra-peer-")
    start = time.monotonic()
    with pytest.raises(hidra.UnavailableError, match="No hidrad listens"):
        hidra.Client(endpoint=directory)
    with pytest.raises(hidra.UnavailableError):
        hidra.Client(endpoint=directory + "/none")
    os.chmod(directory, 0o777)
    with pytest.raises(hidra.PermissionDeniedError):
        hidra.Client(endpoint=directory)
    assert time.monotonic() - start < 3

"""A daemon of another kind: later versions, and messages that make no sense."""

import struct

from peer import Peer
from program import Program
from rows import HEAD, LABELS
from wire import FLOAT32, PART_PARTIAL, Envelope, unknown

# A head's own record, three numbers wide.
BATCH = dict(data="rows", row=[0, 1])
ROWS = {"text": ["a", "b"], "label": ["delivery", "fault"]}


def predicted(envelope, label="a"):
    reply = Envelope(request_id=envelope.request_id)
    for _ in envelope.predict.texts:
        answer = reply.predict_reply.inputs.add().heads.add()
        answer.labels.add(label=label, score=1)
    return reply


def case_later_version(program):
    """a daemon that speaks only a later version is refused, whether it says so in its welcome or as an error"""

    def error(envelope):
        reply = Envelope(request_id=envelope.request_id)
        reply.error.code, reply.error.message = "incompatible_version", "This daemon speaks versions 2 to 3."
        return [[reply.SerializeToString()]]

    def later(welcome):
        welcome.protocol = welcome.protocol_min = 2
        welcome.protocol_max = 3

    for peer in (Peer(greet=error), Peer(welcome=later)):
        with peer:
            assert program.fails("connect", home=peer.home) == "incompatible_version"


def case_greeting(program, command):
    """hello names versions and the program; to the daemon of its own home a plugin says the token it was started with"""
    with Peer() as peer:
        program("connect", home=peer.home)
        assert peer.hello.protocol_min == peer.hello.protocol_max == 1 and peer.hello.client
        plugin = Program("plugin", command, HIDRA_HOME=peer.home, HIDRA_PLUGIN_TOKEN="token-4711")
        plugin("connect")
        assert peer.hello.plugin_token == "token-4711"
        assert plugin.end() == 0


def case_unknown_fields(program):
    """fields, kinds, parts and enum values that a later daemon sends are ignored"""

    def answer(envelope, frames):
        unknown_kind = Envelope(request_id=envelope.request_id, part=PART_PARTIAL)
        progress = Envelope(request_id=envelope.request_id, part=PART_PARTIAL)
        progress.progress.phase = "dreaming"
        event = Envelope()
        event.event.name = "moon.rose"
        final = predicted(envelope)
        # A part that nobody knows is FINAL.
        final.part = 7
        beat = Envelope()
        beat.heartbeat.SetInParent()
        return [
            [unknown_kind.SerializeToString() + unknown(900)], [progress.SerializeToString() + unknown(1000)],
            [beat.SerializeToString() + unknown(1001)], [event.SerializeToString()],
            [final.SerializeToString() + unknown(1002, 100)],
        ]  # fmt: skip

    def greet(envelope):
        reply = Envelope(request_id=envelope.request_id)
        welcome = reply.welcome
        welcome.protocol, welcome.protocol_min, welcome.protocol_max, welcome.heartbeat_seconds = 1, 1, 9, 10
        welcome.capabilities.extend(["steps", "calls", "telepathy"])
        welcome.MergeFromString(unknown(500))
        return [[reply.SerializeToString() + unknown(501)]]

    for peer in (Peer(answer), Peer(answer, greet=greet)):
        with peer:
            program("connect", home=peer.home)
            assert program("predict", head="h", text=["x", "y"])["label"] == ["a", "a"]
            # Its record has a form of features that is not known.
            assert program("list")["head"] == ["h"]
            program("close")


def case_unknown_answer(program):
    """a final answer of an unknown kind, and an error of an unknown code, are `internal`; the connection goes on"""
    answers = []

    def answer(envelope, frames):
        return [[answers.pop(0)(envelope)]]

    def kindless(envelope):
        return Envelope(request_id=envelope.request_id).SerializeToString() + unknown(900)

    def coded(envelope):
        reply = Envelope(request_id=envelope.request_id)
        reply.error.code, reply.error.message = "moon_phase", "Wait for the full moon."
        return reply.SerializeToString()

    with Peer(answer) as peer:
        program("connect", home=peer.home)
        for made in (kindless, coded):
            answers[:] = [made]
            assert program.fails("predict", head="h", text="x") == "internal"
        answers[:] = [lambda envelope: predicted(envelope).SerializeToString()]
        assert program("predict", head="h", text="x")["label"] == ["a"]


def case_goodbye(program):
    """a daemon's goodbye, or its error to no request, ends what is open"""
    for kind, code in (("goodbye", "unavailable"), ("error", "limit_exceeded")):

        def answer(envelope, frames, kind=kind, code=code):
            reply = Envelope()
            if kind == "goodbye":
                reply.goodbye.reason = "You do not read."
            else:
                reply.error.code, reply.error.message = code, "That was too much."
            return [[reply.SerializeToString()]]

        with Peer(answer) as peer:
            program("connect", home=peer.home)
            assert program.fails("predict", head="h", text="x") == code


def case_malformed(program):
    """frames that cannot be read end the connection with an error, at once, and harm nothing else"""

    def whole(envelope):
        return predicted(envelope).SerializeToString()

    def announced(envelope, shape, type=FLOAT32):
        reply = predicted(envelope)
        reply.tensors.add(name="outputs", type=type, shape=shape)
        return reply.SerializeToString()

    sayings = [
        lambda e: [b"\xff\x13\x37\x99\x01"],
        lambda e: [whole(e)[:-2]],
        lambda e: [b"\x08\x01\x82\x06\xff\xff\xff\xff\x0f"],
        lambda e: [b"\x08\x01\x52\x03\x0a\x01\xff"],
        lambda e: [whole(e), b"1234"],
        lambda e: [announced(e, [1])],
        lambda e: [announced(e, [2]), b"1234"],
        lambda e: [announced(e, [1, 1, 1, 1, 1, 1, 1, 1, 1]), b"1234"],
        lambda e: [announced(e, [1 << 62, 4]), b""],
        lambda e: [announced(e, [1], 99), b"1234"],
        lambda e: [whole(e), *[b""] * 99],
    ]
    for saying in sayings:
        with Peer(lambda envelope, frames, saying=saying: [saying(envelope)]) as peer:
            program("connect", home=peer.home)
            assert program.fails("predict", head="h", text="x") == "internal"
            peer.answer = lambda envelope, frames: [[whole(envelope)]]
            program("connect", home=peer.home)
            assert program("predict", head="h", text="x")["label"] == ["a"]


def case_limits(program):
    """what is larger than the daemon takes is not sent: an error says so, or it goes in parts"""

    def small(welcome):
        welcome.limits.message_bytes, welcome.limits.texts_per_request = 200_000, 2

    with Peer(lambda envelope, frames: [[predicted(envelope).SerializeToString()]], small) as peer:
        program("connect", home=peer.home)
        code = program.fails("predict", head="h", text=["x"] * 3)
        assert code in (None, "limit_exceeded")
        large = {"text": ["x" * 300_000, "y"], "label": ["a", "b"]}
        codes = [program.fails("rows", data="rows", columns=large)]
        if codes == [None]:
            codes.append(program.fails("train", head="h2", data="rows", kind="linear", epochs=1))
        assert codes[-1] == "limit_exceeded", codes
        # Many rows that are each small go in parts.
        program("connect", home=peer.home)
        many = {"text": ["x" * 1500] * 500, "label": ["a", "b"] * 250}
        peer.answer = lambda envelope, frames: [[Envelope(request_id=envelope.request_id).SerializeToString()]]
        program("rows", data="many", columns=many)
        program.fails("train", head="h2", data="many", kind="linear", epochs=1)
        assert peer.requests.count("append_rows") >= 3 and peer.largest <= 200_000, peer.largest


def _loss_call(envelope, number, kind, targets, rows=2):
    call = Envelope(request_id=envelope.request_id, part=PART_PARTIAL)
    call.call.call, call.call.kind, call.call.head, call.call.task = number, kind, "own", 1
    call.call.labels.extend(["a", "b"])
    call.tensors.add(name="outputs", type=FLOAT32, shape=[rows, 2])
    call.tensors.add(name="targets", type=7, shape=[len(targets)])
    return [call.SerializeToString() + unknown(700), struct.pack(f"<{2 * rows}f", *range(2 * rows)), struct.pack(f"<{len(targets)}i", *targets)]


def case_calls(program):
    """a call is answered with the loss and its gradients; one of an unknown kind with a problem, or the request is given up"""
    results, kinds = [], []

    def answer(envelope, frames):
        kind = envelope.WhichOneof("kind")
        if kind == "train":
            request[:] = [envelope]
            return [_loss_call(envelope, 1, kinds[0], [1, 0])]
        if kind == "call_result":
            results.append((envelope.call_result, [tensor.name for tensor in envelope.tensors], frames[1:]))
            reply = Envelope(request_id=request[0].request_id)
            if envelope.call_result.problem:
                reply.error.code, reply.error.message = "invalid_data", envelope.call_result.problem
            else:
                reply.train_reply.head.name, reply.train_reply.head.digest = "own", "d"
            return [[reply.SerializeToString()]]
        return []

    request = []
    with Peer(answer) as peer:
        program("connect", home=peer.home)
        program("rows", data="rows", columns=ROWS)
        kinds[:] = [2]
        made = program("train", head="own", data="rows", kind="linear", epochs=1, loss="own")
        assert made["digest"] == ["d"]
        result, names, (gradients,) = results.pop()
        assert (result.call, result.request_id, names) == (1, request[0].request_id, ["gradients"])
        first, second, third, fourth = struct.unpack("<4f", gradients)
        assert abs(first + second) < 1e-7 and abs(third + fourth) < 1e-7 and first > 0 > third
        assert 0.8 < result.loss < 0.82
        kinds[:] = [99]
        assert program.fails("train", head="own", data="rows", kind="linear", epochs=1, loss="own") is not None
        assert all(result.problem for result, _, _ in results)
        assert program("list")["head"] == ["h"]


def case_malformed_calls(program):
    """a call whose outputs and targets do not agree is answered with a problem, or given up; the program lives on"""

    def answer(envelope, frames):
        kind = envelope.WhichOneof("kind")
        if kind == "train":
            request[:] = [envelope]
            return [makes[-1](envelope)]
        if kind == "call_result":
            reply = Envelope(request_id=request[0].request_id)
            reply.error.code, reply.error.message = "invalid_data", envelope.call_result.problem or "There was no problem."
            problems.append(envelope.call_result.problem)
            return [[reply.SerializeToString()]]
        return []

    def bare(envelope):
        call = Envelope(request_id=envelope.request_id, part=PART_PARTIAL)
        call.call.call, call.call.kind = 1, 2
        return [call.SerializeToString()]

    request, makes, problems = [], [], []
    with Peer(answer) as peer:
        program("connect", home=peer.home)
        program("rows", data="rows", columns=ROWS)
        for make in (bare, lambda e: _loss_call(e, 1, 2, [1, 0, 1]), lambda e: _loss_call(e, 1, 2, [1])):
            makes.append(make)
            assert program.fails("train", head="own", data="rows", kind="linear", epochs=1, loss="own") is not None
        assert all(problems), problems
        assert program("list")["head"] == ["h"]


def case_numbers(program):
    """verbs are numbered from 1 without gaps; a refused one gives its number back"""
    numbers = []

    def answer(envelope, frames):
        kind = envelope.WhichOneof("kind")
        reply = Envelope(request_id=envelope.request_id)
        if kind == "attach":
            reply.attach_reply.run, reply.attach_reply.outputs = "run-00000001", 3
            reply.attach_reply.inputs.add(encoder="minilm", tap="6", column="text").form = 99
        elif kind == "forward_backward":
            numbers.append(envelope.forward_backward.sequence)
            if len(numbers) == 2:
                reply.error.code, reply.error.message = "invalid_data", "The label is not known."
            else:
                reply.forward_backward_reply.sequence, reply.forward_backward_reply.loss = numbers[-1], 1
        elif kind == "optim_step":
            numbers.append(envelope.optim_step.sequence)
            reply.optim_step_reply.sequence, reply.optim_step_reply.steps = numbers[-1], 1
        return [[reply.SerializeToString() + unknown(901)]]

    with Peer(answer) as peer:
        program("connect", home=peer.home)
        program("rows", data="rows", columns=ROWS)
        program("attach", head="numbers", label=LABELS, **HEAD)
        program("pass", **BATCH)
        assert program.fails("pass", **BATCH) == "invalid_data"
        program("pass", **BATCH)
        program("step")
        program("pass", **BATCH)
        assert numbers == [1, 2, 2, 3, 4], numbers

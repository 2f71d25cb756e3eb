"""Functions of a client's own: what they get, what they may return, and how they travel."""

import numpy as np
import pytest

import hidra
from hidra.callbacks import CallBacks
from hidra.plugin import Plugin
from hidra.v1 import calls_pb2, control_pb2, data_pb2, registry_pb2, work_pb2
from hidra.v1 import envelope_pb2 as pb
from hidra.wire import Reply
from test_hostile import Peer, _frames, _text_encoder

OUTPUTS = np.array([[2, 0, -1], [0.5, 1, 0]], np.float32)


def _call(kind, labels=("a", "b", "c"), columns=(), task=work_pb2.CLASSIFY, targets=np.array([0, 2], np.int32), **fields):
    envelope = pb.Envelope(request_id=7, part=pb.PART_PARTIAL)
    envelope.call.CopyFrom(calls_pb2.Call(call=1, kind=kind, head="h", labels=labels, task=task, columns=columns, **fields))
    envelope.tensors.add(name="outputs", type=pb.FLOAT32, shape=OUTPUTS.shape)
    envelope.tensors.add(name="targets", type=pb.INT32 if targets.dtype == np.int32 else pb.FLOAT32, shape=targets.shape)
    return Reply(envelope, [OUTPUTS.tobytes(), targets.tobytes()])


def _cross_entropy(outputs, targets):
    exponentials = np.exp(outputs)
    probabilities = exponentials / exponentials.sum(1, keepdims=True)
    gradients = probabilities.copy()
    gradients[np.arange(len(targets)), targets] -= 1
    return -np.log(probabilities[np.arange(len(targets)), targets]).mean(), gradients / len(targets)


def test_a_loss_in_numpy_gives_the_loss_and_its_gradients():
    result, tensors = CallBacks(loss=_cross_entropy).answering()(_call(registry_pb2.LOSS))
    loss, gradients = _cross_entropy(OUTPUTS, np.array([0, 2]))
    assert result.loss == pytest.approx(loss) and tensors["gradients"].dtype == np.float32
    np.testing.assert_allclose(tensors["gradients"], gradients, rtol=1e-6)


def test_a_loss_in_torch_is_differentiated(monkeypatch):
    torch = pytest.importorskip("torch", reason="needs torch")
    plugin = Plugin("p")

    @plugin.loss(torch=True)
    def loss(outputs, targets):
        return torch.nn.functional.cross_entropy(outputs, targets)

    expected, gradients = _cross_entropy(OUTPUTS, np.array([0, 2]))
    for function in (loss, torch.nn.CrossEntropyLoss()):
        result, tensors = CallBacks(loss=function).answering()(_call(registry_pb2.LOSS))
        assert result.loss == pytest.approx(expected, rel=1e-6)
        np.testing.assert_allclose(tensors["gradients"], gradients, rtol=1e-5)
    with pytest.raises(hidra.InvalidDataError, match="no dimensions"):
        CallBacks(loss=torch.nn.CrossEntropyLoss(reduction="none")).answering()(_call(registry_pb2.LOSS))


def test_numbers_are_learnt_with_float_targets():
    targets = np.array([[0.5, 1, 0], [1, 0, 0]], np.float32)
    seen = []
    CallBacks(loss=lambda o, t: (seen.append(t.dtype), (0.5, o - t))[1]).answering()(
        _call(registry_pb2.LOSS, targets=targets, task=work_pb2.MULTILABEL)
    )
    assert seen == [np.float32]


@pytest.mark.parametrize(
    "function, match",
    [
        (lambda o, t: (1.0, o[:1]), r"\[1, 3\].*\[2, 3\]"),
        (lambda o, t: (float("nan"), o), "not finite"),
        (lambda o, t: (1.0, o / 0), "not finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_a_loss_that_cannot_be_used_says_why(function, match):
    with pytest.raises(hidra.InvalidDataError, match=match):
        CallBacks(loss=function).answering()(_call(registry_pb2.LOSS))


def test_functions_that_want_it_learn_what_the_call_is_about_and_labels_are_remembered():
    contexts = []

    def metrics(outputs, targets, context):
        contexts.append(context)
        return {"first": 0.5, "second": np.float32(2)}

    answer = CallBacks(metrics=metrics).answering()
    result, _ = answer(_call(registry_pb2.METRICS, step=1))
    answer(_call(registry_pb2.METRICS, labels=(), step=2))
    assert [(metric.name, metric.value) for metric in result.metrics] == [("first", 0.5), ("second", 2)]
    assert [(c.head, c.step, c.task, c.labels) for c in contexts] == [
        ("h", 1, "classify", ("a", "b", "c")), ("h", 2, "classify", ("a", "b", "c")),
    ]  # fmt: skip
    with pytest.raises(hidra.InvalidDataError, match="dict"):
        CallBacks(metrics=lambda o, t: 0.5).answering()(_call(registry_pb2.METRICS))


def test_columns_come_back_as_many_as_they_went():
    one = [data_pb2.Column(name="text", values=["A", "B"])]
    result, _ = CallBacks(preprocess=lambda texts: [t.lower() for t in texts]).answering()(_call(registry_pb2.PREPROCESS, columns=one))
    assert result.columns[0].name == "text" and list(result.columns[0].values) == ["a", "b"]
    two = [*one, data_pb2.Column(name="picture", blobs=[b"1", b"2"])]
    result, _ = CallBacks(preprocess=lambda t, p: (t, [x * 2 for x in p])).answering()(_call(registry_pb2.PREPROCESS, columns=two))
    assert list(result.columns[1].blobs) == [b"11", b"22"]
    for wrong in (lambda texts: texts[:1], lambda texts: texts * 2):
        with pytest.raises(hidra.InvalidDataError, match="2 values"):
            CallBacks(preprocess=wrong).answering()(_call(registry_pb2.PREPROCESS, columns=one))


@pytest.mark.parametrize(
    "value, labels, number",
    [
        ("yes", [("yes", 1)], None), (("yes", 0.25), [("yes", 0.25)], None), ({"a": 0.25, "b": 0.75}, [("b", 0.75), ("a", 0.25)], None),
        (["a", "b"], [("a", 1), ("b", 1)], None), ([("a", 0.5)], [("a", 0.5)], None), ([], [], None), (3, [], 3.0),
        (np.float32(0.5), [], 0.5),
    ],
)  # fmt: skip
def test_predictions_have_many_forms(value, labels, number):
    result, _ = CallBacks(postprocess=lambda outputs: [value] * len(outputs)).answering()(_call(registry_pb2.POSTPROCESS))
    assert len(result.predictions) == 2
    prediction = result.predictions[0]
    assert [(score.label, score.score) for score in prediction.labels] == labels
    assert (prediction.value if prediction.HasField("value") else None) == number
    with pytest.raises(hidra.InvalidDataError, match="1 predictions for 2 rows"):
        CallBacks(postprocess=lambda outputs: [value]).answering()(_call(registry_pb2.POSTPROCESS))


def _training_peer(results):
    """A daemon that asks for one loss, and ends the training with what comes."""

    def answer(id, request):
        kind = request.WhichOneof("kind")
        if kind == "append_rows":
            return _frames(id, append_rows_reply=data_pb2.AppendRowsReply(rows=2))
        if kind == "train":
            assert list(request.train.calls) == [registry_pb2.LOSS]
            reply = _call(registry_pb2.LOSS)
            reply.envelope.request_id = id
            return [reply.envelope.SerializeToString(), *reply.tensors]
        if kind == "call_result":
            results.append(request)
            result = request.call_result
            if result.problem:
                return _frames(result.request_id, error=pb.Error(code="invalid_data", message=result.problem))
            return _frames(result.request_id, train_reply=work_pb2.TrainReply())
        return None

    return Peer(_text_encoder(answer), control_pb2.Welcome(protocol=1, capabilities=["calls"]))


def test_a_call_is_answered_while_the_training_goes_on():
    results = []
    with _training_peer(results) as peer, hidra.Client(endpoint=peer.directory) as client:
        client.train({"text": ["a", "b"], "label": ["x", "y"]}, encoder="e", name="h", loss=_cross_entropy, timeout=5)
    (envelope,) = results
    assert envelope.call_result.call == 1 and envelope.call_result.loss > 0
    assert [(tensor.name, list(tensor.shape)) for tensor in envelope.tensors] == [("gradients", [2, 3])]


def test_what_a_function_raises_ends_the_training_and_reaches_its_caller():
    class Wrong(Exception):
        pass

    def loss(outputs, targets):
        raise Wrong("no")

    results = []
    with _training_peer(results) as peer, hidra.Client(endpoint=peer.directory) as client:
        with pytest.raises(Wrong, match="no"):
            client.train({"text": ["a", "b"], "label": ["x", "y"]}, encoder="e", name="h", loss=loss, timeout=5)
    assert results[0].call_result.problem == "Wrong: no"


def test_a_plugin_says_who_it_is(monkeypatch):
    monkeypatch.setenv("HIDRA_PLUGIN_TOKEN", "secret")
    with Peer(lambda id, request: None) as peer:
        monkeypatch.setattr("hidra.session.socket_directory", lambda home: peer.directory)
        for settings in ({}, {"home": "/of/another"}, {"endpoint": peer.directory}):
            with Plugin("mine", version="1.2", **settings) as plugin:
                assert plugin.client is plugin.client
    assert {(hello.client, hello.heartbeat_seconds, *hello.capabilities) for hello in peer.hellos} == {("mine 1.2", 10, "calls")}
    assert [hello.plugin_token for hello in peer.hellos] == ["secret", "", ""], "the token is for the daemon that gave it"


def test_a_plugin_that_is_told_goodbye_ends_and_does_not_come_back(monkeypatch):
    goodbye = control_pb2.Goodbye(reason="you are to stop")
    monkeypatch.setenv("HIDRA_PLUGIN_TOKEN", "secret")
    with Peer(lambda id, request: _frames(0, goodbye=goodbye)) as peer:
        monkeypatch.setattr("hidra.session.socket_directory", lambda home: peer.directory)
        reached = False
        with Plugin("mine") as plugin:
            client = plugin.client
            client.heads()
            reached = True
        assert not reached and len(peer.hellos) == 1
        with Plugin("mine") as plugin:
            with pytest.raises(hidra.UnavailableError, match="you are to stop"):
                plugin.client.heads()
            with pytest.raises(hidra.UnavailableError, match="goodbye"):
                plugin.client.heads()
        assert len(peer.hellos) == 2
        # A program of its own is not ended by it.
        with pytest.raises(hidra.UnavailableError), Plugin("mine", endpoint=peer.directory) as plugin:
            plugin.client.heads()


def test_a_plugin_with_nothing_to_serve_says_so():
    with pytest.raises(hidra.InvalidArgumentError, match="nothing to serve"):
        Plugin("empty").serve()
    with pytest.raises(hidra.InvalidArgumentError, match="decorates"):
        Plugin("empty").metrics(3)

"""Functions of a plugin's own in a real daemon's trainings and predictions."""

import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import hidra
from conftest import until
from hidra.plugin import Plugin


@pytest.fixture
def calls(client):
    """A client whose daemon asks."""
    if "calls" not in client._session.link().capabilities:
        pytest.skip("needs a hidrad that calls its clients")
    return client


def cross_entropy(outputs, targets):
    shifted = outputs - outputs.max(1, keepdims=True)
    logarithms = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    rows = np.arange(len(targets))
    gradients = np.exp(logarithms)
    gradients[rows, targets] -= 1
    return -logarithms[rows, targets].mean(), gradients / len(targets)


SETTINGS = dict(text="message", label="tone", encoder="minilm", seed=2, lr=0.01, epochs=5, replace=True)


def test_a_loss_of_ones_own_trains_as_the_daemons(calls, home, tickets):
    plugin = Plugin("losses", home=home)
    plugin.loss(cross_entropy)
    with plugin:
        plugin.train(tickets, name="own-loss", **SETTINGS)
    calls.train(tickets, name="their-loss", label_smoothing=0, **SETTINGS)
    texts = tickets["message"]
    ours, theirs = (
        np.array([answer.score for answer in calls.predict(name, texts)]) for name in ("own-loss", "their-loss")
    )
    np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_a_loss_in_torch_trains_the_same(calls, tickets):
    torch = pytest.importorskip("torch", reason="needs torch")
    for name, loss in (("numpy-loss", cross_entropy), ("torch-loss", torch.nn.CrossEntropyLoss())):
        calls.train(tickets, name=name, loss=loss, **SETTINGS)
    texts = tickets["message"][:50]
    scores = [[answer.score for answer in calls.predict(name, texts)] for name in ("numpy-loss", "torch-loss")]
    np.testing.assert_allclose(*scores, atol=2e-3)


def test_metrics_of_ones_own_decide_and_are_reported(calls, tickets):
    seen = []

    def metrics(outputs, targets, context):
        seen.append((context.step, len(targets), context.labels))
        return {"rows": float(len(targets)), "agreement": float((outputs.argmax(1) == targets).mean())}

    result = calls.train(tickets, name="measured", metrics=metrics, holdout=0.2, **SETTINGS)
    assert seen[-1][:2] == (0, result.test_rows) and {labels for _, _, labels in seen} == {result.head.labels}
    assert result.metrics["agreement"] > 0.3 and result.metrics["rows"] == result.test_rows


def test_what_a_loss_raises_is_raised_by_train(calls, tickets):
    def loss(outputs, targets):
        raise ZeroDivisionError("in the loss")

    with pytest.raises(ZeroDivisionError, match="in the loss"):
        calls.train(tickets, name="never", loss=loss, **SETTINGS)
    with pytest.raises(hidra.InvalidDataError, match="shape"):
        calls.train(tickets, name="never", loss=lambda o, t: (0.0, o[:1]), **SETTINGS)
    assert not [head for head in calls.heads() if head.name == "never"]


def test_a_loss_that_is_too_slow_ends_the_training(calls, tickets):
    import time

    with pytest.raises(hidra.HidraError):
        calls.train(
            tickets, name="never", loss=lambda o, t: (time.sleep(1.5), cross_entropy(o, t))[1], call_deadline=0.2, **SETTINGS
        )


SERVER = """
from hidra.plugin import Plugin

plugin = Plugin("shouter", version="1")

@plugin.preprocess
def quiet(texts):
    return [text.lower() for text in texts]

@plugin.postprocess
def loud(outputs, context):
    if (outputs != outputs).any():
        raise ValueError("no numbers")
    return [context.labels[row.argmax()].upper() for row in outputs]

plugin.train({data!r}, name="shouted", text="text", label="label", encoder="minilm", epochs=5, progress=False, replace=True)
print("trained", flush=True)
plugin.serve()
"""


def test_a_head_is_asked_while_its_plugin_serves_it(calls):
    data = {"text": ["FINE DAY", "nice", "HORRIBLE", "awful day"] * 5, "label": ["good", "good", "bad", "bad"] * 5}
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER).replace("{data!r}", repr(data))], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "trained\n"
        assert calls.show("shouted").served_by == "shouter 1"

        def answers():
            try:
                return [answer.label for answer in calls.predict("shouted", ["AWFUL", "nice day"])]
            except hidra.HidraError:
                return None

        until(lambda: answers() == ["BAD", "GOOD"])
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        with pytest.raises(hidra.HidraError, match="shouter"):
            calls.predict("shouted", "nice")
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
    calls.remove("shouted")

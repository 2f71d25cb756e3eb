"""Focal loss: the formula, and a training with it in a real daemon."""

import sys
from pathlib import Path

import numpy as np
import pytest

from hidra import CallContext
from hidra.testing import client, home  # noqa: F401

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import focal_loss
from focal import focal, label_weights, macro_f1
from hidra.tables import columns_of

CONTEXT = CallContext("h", 0, "classify", ("a", "b", "c"))
DATA = focal_loss.HERE / "data"


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("weights", [None, {"a": 0.5, "b": 3.0, "c": 1.0}])
def test_the_gradients_are_those_of_the_loss(gamma, weights):
    random = np.random.default_rng(1)
    outputs, targets = random.normal(size=(5, 3)), np.array([0, 1, 2, 1, 0])
    loss = focal(gamma, weights)
    _, gradients = loss(outputs, targets, CONTEXT)
    for row in range(5):
        for column in range(3):
            step = np.zeros_like(outputs)
            step[row, column] = 1e-5
            slope = (loss(outputs + step, targets, CONTEXT)[0] - loss(outputs - step, targets, CONTEXT)[0]) / 2e-5
            assert gradients[row, column] == pytest.approx(slope, abs=1e-6)


def test_without_gamma_and_weights_it_is_cross_entropy():
    outputs, targets = np.array([[1.0, 2, 3], [0, 0, 5]]), np.array([2, 0])
    probabilities = np.exp(outputs) / np.exp(outputs).sum(1, keepdims=True)
    assert focal(0)(outputs, targets, CONTEXT)[0] == pytest.approx(-np.log(probabilities[[0, 1], targets]).mean())


def test_rows_that_are_certain_stay_finite():
    loss, gradients = focal(2.0)(np.array([[1000.0, 0, 0], [1000, 0, 0]], np.float32), np.array([0, 1]), CONTEXT)
    assert np.isfinite(loss) and np.isfinite(gradients).all() and np.abs(gradients[0]).max() < 1e-9


def test_weights_are_one_on_average_and_grow_with_rarity():
    counts = {"often": 90, "rare": 10}
    for beta in (0.0, 0.9, 0.99, 1.0):
        weights = label_weights(counts, beta)
        assert sum(weights[label] * count for label, count in counts.items()) == pytest.approx(100)
        assert weights["rare"] >= weights["often"]
    assert label_weights(counts, 0.0)["rare"] == 1 and label_weights(counts, 1.0)["rare"] == pytest.approx(5)


def test_macro_f1_counts_each_label_the_same():
    outputs = np.eye(3)[[0, 0, 0, 1, 0]]
    scores = macro_f1(outputs, np.array([0, 0, 0, 1, 2]), CONTEXT)
    assert scores == {"macro_f1": pytest.approx((2 * 3 / 7 + 1 + 0) / 3), "accuracy": pytest.approx(0.8)}


def test_it_beats_plain_cross_entropy_where_labels_are_rare(client, capsys):
    if "calls" not in client._session.link().capabilities:
        pytest.skip("needs a hidrad that calls its clients")
    rows, test = DATA / "log.tsv", DATA / "unseen.tsv"
    settings = dict(encoder="minilm", test=test, lr=0.01, replace=True)
    weights = focal_loss.weights_of(rows, "label", 1.0)
    scores = {"focal": [], "plain": []}
    for seed in range(3):
        ours = client.train(rows, name="focal", loss=focal(1.0, weights), metrics=macro_f1, seed=seed, **settings)
        plain = client.train(rows, name="plain", seed=seed, **settings)
        scores["focal"].append(ours.metrics["macro_f1"])
        scores["plain"].append(plain.metrics["macro_f1"])
    focals, plains = (float(np.mean(values)) for values in scores.values())
    assert focals > plains + 0.1, f"macro-F1 {focals:.3f} against {plains:.3f}"
    assert focal_loss.main(["train", str(rows), "--test", str(test)]) == 0 and capsys.readouterr().out.startswith("building-log: 114 rows")
    assert client.show("building-log").labels == tuple(sorted(set(columns_of(rows, ["label"])["label"])))

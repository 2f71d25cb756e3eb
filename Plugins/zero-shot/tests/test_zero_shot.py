"""Zero-shot labels against the real encoder."""

import sys
from pathlib import Path

import numpy as np
import pytest

import hidra
from hidra.testing import client, home  # noqa: F401

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import zero_shot
from hidra.tables import columns_of

DATA = zero_shot.HERE / "data"


@pytest.fixture
def labels(client):
    return zero_shot.read_labels(client, "minilm", DATA / "labels.tsv")


def test_messages_find_their_labels_without_training(client, labels):
    table = columns_of(DATA / "messages.tsv", ["text", "label"])
    scores = labels.scores(client.embed("minilm", table["text"]), zero_shot.TEMPERATURE)
    np.testing.assert_allclose(scores.sum(1), 1)
    right = [labels.names[row.argmax()] == label for row, label in zip(scores, table["label"])]
    assert np.mean(right) > 0.75, f"{np.mean(right):.3f} of {len(right)} messages are right"


def test_the_temperature_that_is_fitted_is_the_one_that_made_the_labels():
    random = np.random.default_rng(0)
    labels = zero_shot.Labels(["a", "b", "c"], np.eye(3, dtype=np.float32))
    texts = random.normal(size=(4000, 3)).astype(np.float32)
    chances = labels.scores(texts, 0.2)
    targets = np.array([random.choice(3, p=row) for row in chances])
    assert zero_shot.fit_temperature(labels, texts, targets) == pytest.approx(0.2, rel=0.1)
    assert zero_shot.calibration_error(chances, targets) < 0.03 < zero_shot.calibration_error(labels.scores(texts, 0.02), targets)


def test_the_head_answers_as_the_plugin_does(client, labels):
    if "steps" not in client._session.link().capabilities:
        pytest.skip("needs a hidrad that trains heads step by step")
    head = zero_shot.register(client, labels, "minilm", "hotline", zero_shot.TEMPERATURE)
    assert head.labels == tuple(labels.names)
    texts = ["there is a hole in the road", "I lost my passport"]
    expected = labels.scores(client.embed("minilm", texts), zero_shot.TEMPERATURE)
    for answer, row in zip(client.predict("hotline", texts, top=99), expected):
        found = {score.label: score.score for score in answer.labels}
        np.testing.assert_allclose([found[name] for name in labels.names], row, atol=1e-4)


def test_the_command_predicts_and_calibrates(home, capsys):
    assert zero_shot.main(["predict", "--top", "2", "a tree fell on my car"]) == 0
    text, first, second = capsys.readouterr().out.strip().split("\t")
    assert text == "a tree fell on my car" and first.startswith("trees ")
    assert zero_shot.main(["calibrate", str(DATA / "messages.tsv")]) == 0
    assert "60 texts, accuracy 0." in capsys.readouterr().out


@pytest.mark.parametrize("names", [["one"], ["one", "one"], []])
def test_labels_that_are_none_are_refused(client, names):
    with pytest.raises(hidra.InvalidDataError):
        zero_shot.embed_labels(client, "minilm", names)

"""Labels that are added by adding examples, against the real encoder."""

import sys
from pathlib import Path

import numpy as np
import pytest

import hidra
from hidra.testing import client, home  # noqa: F401

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import nearest
from examples import Examples
from hidra.tables import columns_of

DATA = nearest.HERE / "data"


def _table(name):
    table = columns_of(DATA / name, ["text", "label"])
    return table["text"], table["label"]


@pytest.fixture
def garden(client):
    examples = Examples.of(client, "minilm")
    assert examples.add(client, *_table("garden.tsv")) == 80
    return examples


def _answers(client, examples, texts):
    return [examples.names[row.argmax()] for row in examples.scores(client.embed("minilm", texts))]


def test_new_questions_find_their_label(client, garden):
    texts, labels = _table("unseen.tsv")
    right = np.mean([a == b for a, b in zip(_answers(client, garden, texts), labels)])
    assert right > 0.6, f"{right:.3f} of {len(texts)}"


def test_a_label_is_added_and_removed_without_training(client, garden):
    question = ["why does my heap of kitchen scraps stink"]
    assert "compost" not in _answers(client, garden, question)
    assert garden.add(client, *_table("compost.tsv")) == 5
    assert _answers(client, garden, question) == ["compost"]
    assert garden.add(client, *_table("compost.tsv")) == 0, "the same examples are not kept twice"
    assert garden.remove("compost") == 5 and "compost" not in garden.names
    with pytest.raises(hidra.InvalidDataError, match="empty"):
        garden.add(client, ["a"], [" "])


def test_the_examples_survive_on_disk(client, garden, tmp_path):
    path = tmp_path / "state/nearest.npz"
    garden.save(path)
    again = Examples.load(path, client)
    assert (again.texts, again.labels, again.encoder) == (garden.texts, garden.labels, "minilm")
    assert (again.vectors == garden.vectors).all() and list(path.parent.iterdir()) == [path]
    garden.digest, garden.vectors = "of other weights", garden.vectors * 0
    garden.save(path)
    np.testing.assert_allclose(Examples.load(path, client).vectors, again.vectors, atol=1e-5)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(hidra.InvalidDataError, match="add the examples anew"):
        Examples.load(path, client)


def test_the_head_answers_as_the_examples_do(client, garden):
    if "steps" not in client._session.link().capabilities:
        pytest.skip("needs a hidrad that trains heads step by step")
    texts, _ = _table("unseen.tsv")
    nearest.register(client, garden, "garden-test")
    expected = garden.scores(client.embed("minilm", texts))
    for answer, row in zip(client.predict("garden-test", texts, top=99), expected):
        found = {score.label: score.score for score in answer.labels}
        np.testing.assert_allclose([found[name] for name in garden.names], row, atol=1e-4)


def test_the_commands_keep_their_state(home, tmp_path, capsys):
    def run(*arguments):
        assert nearest.main(["--state", str(tmp_path / "n.npz"), *arguments]) == 0
        return capsys.readouterr().out.splitlines()

    assert run("add", "--label", "compost", *_table("compost.tsv")[0]) == ["5 examples added; 85 of 9 labels"]
    assert run("add", str(DATA / "compost.tsv")) == ["0 examples added; 85 of 9 labels"]
    (line,) = run("predict", "--top", "1", "my compost heap smells awful")
    assert line.split("\t")[1].startswith("compost ") and line.endswith("like: My heap smells of rotten eggs")
    assert "compost\t5" in run("labels")
    assert run("remove", "compost") == ["5 examples of compost removed"]
    assert len(run("labels")) == 8

"""Pairs of sentences against the real encoder."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from hidra.testing import client, home  # noqa: F401

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import pairs
import text_pairs


def test_the_data_are_three_hundred_different_pairs():
    groups = pairs.read()
    everything = [pair for group in groups for pair in group]
    assert len(everything) >= 300 and len(set(everything)) == len(everything)
    assert Counter(pair.relation for pair in everything) == dict.fromkeys(pairs.RELATIONS, len(groups))
    sentences = {sentence for pair in everything for sentence in pair[:2]}
    assert len(sentences) >= 0.98 * (len(groups) + len(everything)), "sentences are used over and over"


def test_pairs_are_completed_with_those_of_other_groups():
    groups = pairs.read()
    rows = pairs.complete(groups, seed=1)
    assert rows == pairs.complete(groups, seed=1) and len(rows) == len(groups) * 5
    assert not {(p.first, p.second) for p in rows[3 * len(groups) :]} & {(p.first, p.second) for g in groups for p in g}
    both = pairs.columns(rows, both_ways=True)
    assert both["first"][len(rows)] == rows[0].second and both["second"][len(rows)] == rows[0].first


@pytest.fixture(scope="module")
def trained(home):
    import hidra

    with hidra.Client(home) as client:
        held, rest = pairs.read()[::5], [group for n, group in enumerate(pairs.read()) if n % 5]
        text_pairs.train(client, "minilm", "pairs-test", pairs.complete(rest, seed=0))
    return held


def test_it_tells_more_than_the_cosine_does(client, trained):
    rows = pairs.complete(trained, seed=1)
    truth = np.array([pairs.RELATIONS.index(row.relation) for row in rows])
    scores = text_pairs.relations(client, "pairs-test", [row.first for row in rows], [row.second for row in rows])
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
    accuracy = np.mean([(scores.argmax(1) == truth)[truth == label].mean() for label in range(3)])
    assert accuracy > 0.62, f"balanced accuracy {accuracy:.3f} of {len(rows)} pairs it has not seen; cosine reaches 0.61"


def test_a_pair_has_no_direction(client, trained):
    firsts, seconds = ["I lost my key", "rain"], ["My key is gone", "sun"]
    there, back = text_pairs.relations(client, "pairs-test", firsts, seconds), text_pairs.relations(client, "pairs-test", seconds, firsts)
    np.testing.assert_allclose(there, back, atol=1e-6)


def test_candidates_are_ranked(client, trained):
    candidates = [group[0].first for group in pairs.read()]
    ranked = text_pairs.rank(client, "pairs-test", "minilm", "my broth has too much salt in it", candidates, 3)
    assert ranked[0][0] == "The soup is far too salty" and ranked[0][1] >= ranked[1][1] >= ranked[2][1]


def test_the_commands_train_compare_and_rank(home, capsys, tmp_path):
    assert text_pairs.main(["compare", "The lamp is broken", "The lamp does not work"]) == 0
    out = capsys.readouterr()
    assert "trained on" in out.err and out.out.splitlines()[0].split("\t")[0] in ("same", "related")
    (tmp_path / "answers.txt").write_text("Press the red button to stop the belt.\nThe canteen opens at noon.\n\n")
    assert text_pairs.main(["rank", "when can I have lunch?", "--from", str(tmp_path / "answers.txt"), "--top", "1"]) == 0
    assert capsys.readouterr().out.endswith("\tThe canteen opens at noon.\n")

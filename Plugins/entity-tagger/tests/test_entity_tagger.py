"""The annotated form, CoNLL files and span metrics by themselves; then the head against the real encoder."""

import sys
from collections import Counter
from pathlib import Path

import pytest

import hidra
from hidra.testing import client, home  # noqa: F401

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import entity_tagger
import spans
import words

UNSEEN = entity_tagger.DATA.with_name("unseen.txt")


@pytest.mark.parametrize(
    "line, text, pieces",
    [
        ("[Ana Ruiz|person] moved to [Lisbon|place].", "Ana Ruiz moved to Lisbon.", [("person", 0, 8), ("place", 18, 24)]),
        ("no pieces", "no pieces", []),
        (r"\[sic\] a | b \\ [x\|y|z]", "[sic] a | b \\ x|y", [("z", 14, 17)]),
        ("[Zoë 🙂|person]!", "Zoë 🙂!", [("person", 0, 5)]),
    ],
)
def test_annotated_lines_are_read(line, text, pieces):
    assert words.parse(line) == (text, pieces)


@pytest.mark.parametrize(
    "line, says",
    [
        ("[Ana [Ruiz|person]|x]", "inside another"), ("[Ana]", "has no label"), ("Ana]", "ends no piece"), ("[Ana|person", "not ended"),
        ("[Ana|a b]", "without spaces"), ("[ |place]", "needs words"), ("[Lis|place]bon", "within a word"),
    ],
)  # fmt: skip
def test_broken_lines_are_refused_with_their_place(tmp_path, line, says):
    (tmp_path / "broken.txt").write_text(f"# a remark\n[Oslo|place]\n{line}\n")
    with pytest.raises(hidra.InvalidDataError, match=f"broken.txt, line 3: .*{says}"):
        words.read_annotated(tmp_path / "broken.txt")


def test_words_are_split_at_signs_but_not_within_names_and_times():
    text = "O'Brien's flat, 14:30 in Saint-Denis (€2.50)."
    assert [text[a:b] for a, b in words.split(text)] == ["O'Brien's", "flat", ",", "14:30", "in", "Saint-Denis", "(", "€", "2.50", ")", "."]


def test_pieces_become_iob2():
    sentence = words.labelled(*words.parse("[Rome|place] [Rome|place], [New York|place]"))
    assert sentence == (("Rome", "Rome", ",", "New", "York"), ("B-place", "B-place", "O", "B-place", "I-place"))


def test_conll_files_are_read(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("-DOCSTART- -X- O\n\nEmpire NNP B-place\nState NNP I-place\n\t\nnice JJ O\nBonn NNP I-place\nKöln NNP I-place\n\n\n")
    first, second = words.read(path)
    assert first == (("Empire", "State"), ("B-place", "I-place"))
    assert second == (("nice", "Bonn", "Köln"), ("O", "B-place", "I-place")), "IOB1 becomes IOB2"
    path.write_text("a b\tO\nc\tB-x")
    assert words.read(path) == [(("a_b", "c"), ("O", "B-x"))]
    path.write_text("a\tO\nb\n")
    with pytest.raises(hidra.InvalidDataError, match="line 2: needs a word and a label"):
        words.read(path)


@pytest.mark.parametrize(
    "tags, pieces",
    [
        ("B-a I-a O B-a", [("a", 0, 2), ("a", 3, 4)]),
        ("B-a B-a I-a", [("a", 0, 1), ("a", 1, 3)]),
        ("B-a I-b I-b", [("a", 0, 1), ("b", 1, 3)]),
        ("O I-a I-a", [("a", 1, 3)]),
        ("I-creative-work I-creative-work", [("creative-work", 0, 2)]),
        ("O O", []),
    ],
)
def test_pieces_are_those_of_conlleval(tags, pieces):
    assert spans.pieces(tags.split()) == pieces


def test_scores_are_those_counted_by_hand():
    truth = ["B-a I-a O B-b O".split(), "B-a O B-a".split(), "O".split()]
    # Found: a (0, 1) with the wrong end, b right; a right, b where a is; one that is not there.
    guess = ["B-a O O B-b O".split(), "B-a O B-b".split(), "B-b".split()]
    whole, by_label = spans.score(truth, guess)
    assert whole == pytest.approx((2 / 5, 2 / 4, 4 / 9, 4))
    assert by_label["a"] == pytest.approx((1 / 2, 1 / 3, 2 / 5, 3)) and by_label["b"] == pytest.approx((1 / 3, 1, 1 / 2, 1))
    assert spans.score([["O"]], [["O"]]) == ((0, 0, 0, 0), {})
    with pytest.raises(ValueError):
        spans.score([["O"]], [["O", "O"]])


def test_the_data_are_two_hundred_different_sentences():
    train, unseen = words.read(entity_tagger.DATA), words.read(UNSEEN)
    assert len({sentence.words for sentence in train + unseen}) == len(train) + len(unseen) >= 240
    labels = Counter(tag[2:] for sentence in train for tag in sentence.tags if tag[0] == "B")
    assert set(labels) == {"person", "organisation", "place", "product", "date"} and min(labels.values()) >= 30

    def names(sentences):
        return {
            " ".join(s.words[a:b]) for s in sentences for label, a, b in spans.pieces(s.tags) if label in ("person", "organisation", "product")
        }  # fmt: skip

    assert not names(train) & names(unseen), "a name to be found was in the training"


@pytest.fixture(scope="module")
def trained(home):
    with hidra.Client(home) as client:
        entity_tagger.train(client, "minilm", "entities-test", words.read(entity_tagger.DATA))
    return "entities-test"


def test_it_finds_pieces_it_has_not_seen_and_counts_as_the_daemon_does(client, trained):
    sentences = words.read(UNSEEN)
    whole, by_label = entity_tagger.evaluate(client, trained, sentences)
    assert whole.f1 > 0.6, f"{whole} of {len(sentences)} sentences"
    report = client.evaluate(trained, words.columns(sentences), text="text", label="tags", progress=False)
    assert [report.metrics[f"span_{name}"] for name in ("precision", "recall", "f1")] == pytest.approx(whole[:3])
    assert {c.label: (c.precision, c.recall, c.f1, c.support) for c in report.classes} == {
        label: pytest.approx(tuple(score)) for label, score in by_label.items()
    }


def test_pieces_lie_where_they_stand_in_the_text(client, trained):
    text = "🙂  «Maria Kovacs», from\tZürich; she ordered on Monday."
    (pieces,) = entity_tagger.tag(client, trained, [text])
    found = {(piece.label, text[piece.start : piece.end]) for piece in pieces}
    assert {("person", "Maria Kovacs"), ("date", "Monday")} <= found
    assert all(0 < piece.score <= 1 for piece in pieces) and entity_tagger.tag(client, trained, ["", " \n"]) == [(), ()]


def test_the_commands_train_tag_and_evaluate(client, capsys, monkeypatch, tmp_path):
    assert entity_tagger.main(["tag", "Call Rosa Jimenez on Friday."]) == 0
    out = capsys.readouterr()
    assert "trained on 188 sentences" in out.err and [line.split("\t")[0] for line in out.out.splitlines()] == ["person", "date"]
    assert out.out.splitlines()[0].split("\t")[1:3] == ["5", "17"] and out.out.splitlines()[0].endswith("Rosa Jimenez")

    (tmp_path / "own.conll").write_text("".join(f"{a}\tO\n{b}\tB-fruit\n\n" for a in ("eat", "buy", "no", "sour") for b in ("apples", "pears")))
    own = ["--name", "fruit-test"]
    assert entity_tagger.main([*own, "train", str(tmp_path / "own.conll"), "--tap", "0"]) == 0
    assert entity_tagger.main([*own, "evaluate", str(tmp_path / "own.conll")]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["all", "1.000", "1.000", "1.000", "8"]

    assert entity_tagger.main(["train", str(tmp_path / "none.txt")]) == 1 and "There is no file" in capsys.readouterr().err
    assert entity_tagger.main(["--name", "nobody", "tag", "x"]) == 1 and "nobody" in capsys.readouterr().err

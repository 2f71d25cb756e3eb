"""Labels of words."""

import pytest

import hidra

SENTENCES = [
    ("Anna lives in Graz", "B-person O O B-place"), ("We met Ben Miller in Oslo", "O O B-person I-person O B-place"),
    ("The train to Turin was late", "O O O B-place O O"), ("Clara Schmidt called Paul", "B-person I-person O B-person"),
    ("Rain in London again", "O O B-place O"), ("Tom went to New York", "B-person O O B-place I-place"),
    ("Nobody was at home", "O O O O"), ("Eva and Max moved to Rome", "B-person O B-person O O B-place"),
] * 5  # fmt: skip


def test_pieces_of_texts_are_found_whatever_form_the_rows_have(client):
    if "tag" not in client._session.link().capabilities:
        pytest.skip("needs a hidrad that labels words")
    lists = {"text": [text.split() for text, _ in SENTENCES], "label": [labels.split() for _, labels in SENTENCES]}
    texts = {"text": [text for text, _ in SENTENCES], "label": [labels for _, labels in SENTENCES]}
    settings = dict(encoder="minilm", task="tag", epochs=20, lr=0.01, seed=1, replace=True)
    digests = {client.train(rows, name="names", **settings).head.digest for rows in (lists, texts)}
    assert len(digests) == 1
    head = client.show("names")
    assert (head.task, head.kind) == ("tag", "tagger")
    (answer,) = client.predict("names", "Clara moved to Oslo")
    assert [("Clara moved to Oslo"[span.start : span.end], span.label) for span in answer.spans] == [
        ("Clara", "person"), ("Oslo", "place"),
    ]  # fmt: skip
    assert all(0 < span.score <= 1 for span in answer.spans) and answer.label is None
    assert client.evaluate("names", lists).metrics["span_f1"] > 0.9
    with pytest.raises(hidra.InvalidDataError):
        client.train({"text": ["one two"], "label": ["O"]}, name="never", **settings)
    client.remove("names")

"""Labels of words."""

import contextlib
import threading
import time

import numpy as np
import pytest

import hidra
import hidra.plugin

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


LABELS = ["B-person", "B-place", "I-person", "I-place", "O"]


def _emission_loss(outputs, targets):
    """Cross-entropy of words, and its gradients."""
    shares = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    rows = np.arange(len(targets))
    loss = -np.log(shares[rows, targets]).mean()
    shares[rows, targets] -= 1
    return float(loss), shares / len(targets)


def test_a_tagger_is_attached_and_trained_by_its_own_loss_and_by_the_programs(client):
    texts, cells = [t for t, _ in SENTENCES], [c for _, c in SENTENCES]
    words = [len(text.split()) for text in texts]
    truth = np.array([LABELS.index(label) for cell in cells for label in cell.split()])
    attach = dict(encoder="minilm", task="tag", labels=LABELS, seed=5, lr=0.01, replace=True)
    with client.attach("own-names", **attach) as theirs:
        assert theirs.loss == "crf" and theirs.outputs == len(LABELS)
        losses = []
        for _ in range(30):
            result = theirs.forward_backward(texts, cells, outputs=True)
            losses.append(result.loss)
            theirs.optim_step()
        assert result.outputs.shape == (sum(words), len(LABELS)) and losses[-1] < losses[0] / 5
        with pytest.raises(hidra.InvalidDataError, match="words"):
            theirs.forward_backward(["one two"], ["O"])
        with pytest.raises(hidra.InvalidDataError, match="none of those"):
            theirs.forward_backward(["one"], ["B-thing"])
        theirs.detach(keep=True)
    (answer,) = client.predict("own-names", "Clara moved to Oslo")
    assert [(s.start, s.label) for s in answer.spans] == [(0, "person"), (15, "place")]
    with client.attach("my-names", **attach) as mine:
        mine.load({"text": texts, "label": cells})
        for _ in range(40):
            outputs = mine.forward(rows=range(len(texts)), training=True)
            loss, gradients = _emission_loss(outputs, truth)
            mine.backward(gradients, step=True)
        assert loss < 0.2
        # The data set's labels too.
        assert mine.forward_backward(rows=[0, 1, 2]).loss < 1
        mine.detach(keep=True)
    assert [s.label for s in client.predict("my-names", "Tom lives in New York")[0].spans][:1] == ["person"]
    with pytest.raises(hidra.InvalidArgumentError, match="tagger"):
        client.attach("never", encoder="minilm", task="tag", labels=LABELS, head="mlp")
    client.remove("own-names")
    client.remove("my-names")


def test_loss_metrics_and_both_ends_of_a_tagger_are_a_clients(home, client):
    rows = {"text": [t for t, _ in SENTENCES], "label": [c for _, c in SENTENCES]}
    seen = {"metrics": [], "lengths": set()}
    me = hidra.plugin.Plugin("names", home=home)

    @me.loss
    def loss(outputs, targets, context):
        seen["lengths"].add(sum(context.lengths) == len(outputs) == len(targets))
        return _emission_loss(outputs, targets)

    @me.metrics
    def metrics(outputs, targets, context):
        seen["metrics"].append(context.step)
        return {"right": float((outputs.argmax(axis=1) == targets).mean())}

    @me.preprocess
    def preprocess(texts):
        return [text.replace("Oslo", "Rome") for text in texts]

    @me.postprocess
    def postprocess(outputs, context):
        made, first = [], 0
        for text, length in zip(context.texts, context.lengths):
            best, at, spans = outputs[first : first + length].argmax(axis=1), 0, []
            for word, label in zip(text.split(), best):
                if context.labels[label].startswith("B-"):
                    spans.append(hidra.Span(context.labels[label][2:], text.index(word, at), text.index(word, at) + len(word), 0.5))
                at = text.index(word, at) + len(word)
            made.append(spans)
            first += length
        return made

    result = me.train(rows, name="served-names", encoder="minilm", task="tag", epochs=20, lr=0.02, holdout=0.2, seed=1, replace=True)
    assert seen["lengths"] == {True} and 0 in seen["metrics"] and 1 in seen["metrics"]
    assert result.head.metrics["right"] > 0.8
    with pytest.raises(hidra.UnavailableError):
        client.predict("served-names", "Clara moved to Oslo")

    def serve():
        with contextlib.suppress(hidra.CancelledError):  # it is closed in the end
            me.serve()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while True:
        try:
            (answer,) = client.predict("served-names", "Clara moved to Oslo")
            break
        except hidra.UnavailableError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert ("Clara moved to Oslo"[answer.spans[-1].start : answer.spans[-1].end], answer.spans[-1].label) == ("Oslo", "place")
    assert list(client.predict("served-names", ["Clara moved to Oslo"] * 70, stream=True)) == [answer] * 70
    me.client.close()
    thread.join(10)
    client.remove("served-names")

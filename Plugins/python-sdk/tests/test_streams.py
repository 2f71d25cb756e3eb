"""Predictions that come as they are computed."""

import time

import pytest

import hidra


@pytest.fixture()
def head(client, tickets):
    rows = {"text": tickets["message"], "label": tickets["intent"]}
    client.train(rows, name="streamed", encoder="minilm", epochs=3, lr=0.01, replace=True)
    return "streamed"


def test_a_stream_says_what_a_list_says_in_the_same_order(client, head, tickets):
    texts = tickets["message"]
    parts = client.predict(head, texts, top=3, stream=True)
    assert list(parts) == client.predict(head, texts, top=3)
    both = list(client.predict([head, head], texts[:3], stream=True))
    assert len(both) == 3 and both[0].keys() == {head}
    assert list(client.predict(head, [], stream=True)) == []


def test_the_first_answers_come_long_before_the_last_and_others_are_served_between(client, head):
    texts = [f"my parcel number {i} has not arrived although I have waited for {i} days, and nobody answers" for i in range(2000)]
    start = time.monotonic()
    answers = client.predict(head, texts, stream=True)
    next(answers)
    first = time.monotonic() - start
    with hidra.Client(client.home, start=False) as other:
        before = time.monotonic()
        assert other.predict(head, "where is it?")[0].label
        single = time.monotonic() - before
    assert len(list(answers)) == len(texts) - 1
    whole = time.monotonic() - start
    assert first < whole / 4 and single < whole / 4, (first, single, whole)


def test_leaving_early_ends_the_work_at_the_daemon(client, head):
    texts = [f"text number {i} that is long enough to take a while, and a while more" for i in range(5000)]
    answers = client.predict(head, texts, stream=True)
    next(answers)
    answers = None  # the iterator is dropped
    deadline = time.monotonic() + 5
    while any(job.kind == "predict" for job in client.status().jobs):
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.02)


def test_what_is_wrong_shows_with_the_first_answer(client):
    with pytest.raises(hidra.NotFoundError):
        next(client.predict("no-such-head", ["a"], stream=True))

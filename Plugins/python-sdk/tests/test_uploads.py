"""Files sent whole."""

import csv
import hashlib

import pytest

import hidra
from hidra.v1 import data_pb2


@pytest.fixture()
def table(tmp_path, tickets):
    path = tmp_path / "tickets.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(tickets)
        writer.writerows(zip(*tickets.values()))
    return path


def test_an_uploaded_table_trains_the_same_head_as_its_rows(client, table, tickets):
    seen = []
    digest = client.upload(table, progress=seen.append)
    assert digest == hashlib.sha256(table.read_bytes()).hexdigest() and seen[-1].done == seen[-1].total == table.stat().st_size
    data = client.open_data(digest, format="csv", columns=["message", "intent"])
    assert data.rows == len(tickets["message"]) and data.columns == ("message", "intent")
    settings = dict(encoder="minilm", text="message", label="intent", epochs=2, lr=0.01, seed=3, replace=True)
    assert client.train(data, name="sent", **settings).head.digest == client.train(tickets, name="sent", **settings).head.digest
    assert client.evaluate("sent", data, text="message", label="intent").rows == data.rows
    with pytest.raises(hidra.NotFoundError, match="urgency"):
        client.train(data, name="never", encoder="minilm", text="message", label="urgency")
    client.remove("sent")


def test_what_was_sent_before_is_not_sent_again(client, tmp_path):
    path = tmp_path / "large.tsv"
    path.write_bytes(b"text\tlabel\n" + b"a line of it\tx\n" * 700_000)
    digest, size = hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size
    half = path.read_bytes()[: 4 << 20]
    request = data_pb2.UploadRequest(digest=digest, size=size, content=half)
    assert client._work("upload", request, "upload_reply").envelope.upload_reply.received == len(half)
    seen = []
    assert client.upload(path, progress=lambda p: seen.append(p.done)) == digest
    assert seen[0] == len(half) and seen[-1] == size
    seen.clear()
    assert client.upload(path, progress=lambda p: seen.append(p.done)) == digest and seen == [size]


def test_the_daemon_reads_a_file_of_its_own_machine(client, table, tickets):
    assert client.open_data(table, is_path=True, name="own").rows == len(tickets["message"])
    with pytest.raises(hidra.AlreadyExistsError):
        client.open_data(table, is_path=True, name="own")
    with pytest.raises(hidra.InvalidArgumentError):
        client.open_data(str(table))
    with pytest.raises(hidra.NotFoundError):
        client.upload("/nowhere/at/all.csv")

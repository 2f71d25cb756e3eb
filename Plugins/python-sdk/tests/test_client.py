"""A client and a real daemon."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import numpy as np
import pytest

import hidra
from conftest import until


def test_vectors_are_those_of_the_command_line_to_the_bit(client, cli, tickets, tmp_path):
    texts = tickets["message"] + ["", "x " * 600, "naïve 漢字 🙂"]
    table = tmp_path / "texts.jsonl"
    import json

    table.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    cli("embed", "minilm", "--file", table, "--column", "text", "-o", tmp_path / "v.npy")
    vectors = client.embed("minilm", texts)
    assert vectors.dtype == np.float32 and vectors.shape == (len(texts), 384)
    assert vectors.tobytes() == np.load(tmp_path / "v.npy").tobytes()
    assert client.embed("minilm", texts[5]).tobytes() == vectors[5].tobytes()
    cli("embed", "minilm", "--file", table, "--column", "text", "--tap", "2", "-o", tmp_path / "v.npy")
    assert client.embed("minilm", texts, tap="2").tobytes() == np.load(tmp_path / "v.npy").tobytes()


def test_precision_is_the_requests(client, tickets):
    texts = ["my card has not arrived", "where is my parcel"]
    fp32, int8 = client.embed("minilm", texts), client.embed("minilm", texts, precision="int8")
    assert (fp32 != int8).any() and ((fp32 * int8).sum(1) > 0.99).all()
    assert client.embed("minilm", texts, precision="fp32").tobytes() == fp32.tobytes()
    result = client.train(
        tickets, text="message", label="intent", encoder="minilm", name="precise", precision="int8", epochs=2, replace=True)
    assert result.head.name == "precise"
    assert client.predict("precise", texts, precision="int8") != client.predict("precise", texts, precision="fp32")
    rows = {"message": texts, "intent": [answer.label for answer in client.predict("precise", texts, precision="int8")]}
    assert client.evaluate("precise", rows, text="message", label="intent", precision="int8").metrics["accuracy"] == 1
    client.remove("precise")


def test_many_inputs_travel_in_several_requests(client):
    texts, reports = [f"number {i % 700}" for i in range(1500)], []
    vectors = client.embed("minilm", texts, progress=reports.append)
    assert [report.done for report in reports] == [1024, 1500]
    assert vectors.shape == (1500, 384) and (vectors[:100] == vectors[700:800]).all()


def test_arrays_and_series_of_texts_are_texts(client):
    expected = client.embed("minilm", ["a", "b"])
    assert (client.embed("minilm", np.array(["a", "b"])) == expected).all()
    pandas = pytest.importorskip("pandas")
    assert (client.embed("minilm", pandas.Series(["a", "b"], index=[7, 9])) == expected).all()


def test_no_inputs_are_no_vectors(client):
    assert client.embed("minilm", []).shape == (0, 384)


def test_status_and_registry(client, home):
    status = client.status()
    assert status.home == os.path.realpath(home) or status.home == home
    assert status.clients >= 1 and status.kernels
    (encoder,) = [encoder for encoder in client.encoders() if encoder.name == "minilm"]
    assert encoder == client.show("minilm") and encoder.width == 384 and encoder.modality == "text"


@pytest.mark.parametrize(
    "request_, error, code",
    [
        (lambda c: c.show("minilmm"), hidra.NotFoundError, "not_found"),
        (lambda c: c.embed("nobody", "x"), hidra.NotFoundError, "not_found"),
        (lambda c: c.predict("nobody", "x"), hidra.NotFoundError, "not_found"),
        (lambda c: c.predict([], "x"), hidra.InvalidArgumentError, "invalid_argument"),
        (lambda c: c.predict("x", "x", top=-1), hidra.InvalidArgumentError, "invalid_argument"),
        (lambda c: c.embed("minilm", [3]), hidra.InvalidArgumentError, "invalid_argument"),
        (lambda c: c.embed("minilm", ["a", 3]), hidra.InvalidArgumentError, "invalid_argument"),
        (lambda c: c.embed("minilm", ["\ud800"]), hidra.InvalidDataError, "invalid_data"),
        (lambda c: c.embed("minilm", "x", tap="nowhere"), hidra.HidraError, None),
        (lambda c: c.embed("minilm", "x", precision="fp4"), hidra.InvalidArgumentError, "invalid_argument"),
        (lambda c: c.embed("minilm", "x" * (65 << 20)), hidra.LimitExceededError, "limit_exceeded"),
        (lambda c: c.pull("/nowhere/at/all"), hidra.NotFoundError, "not_found"),
        (lambda c: c.pull("minilm-of-another-planet"), hidra.HidraError, None),
        (lambda c: c.remove("nobody"), hidra.NotFoundError, "not_found"),
        (lambda c: c.export("minilm"), hidra.HidraError, None),
        (lambda c: c.run_graph(b"not a graph", {}), hidra.HidraError, None),
        (lambda c: c.evaluate("minilm", {"text": ["a"], "label": ["b"]}), hidra.NotFoundError, "not_found"),
    ],
)
def test_errors_have_a_class_a_code_and_advice(client, request_, error, code):
    with pytest.raises(error) as raised:
        request_(client)
    assert len(str(raised.value)) > 10
    if code:
        assert raised.value.code == code
    until(lambda: client.status().jobs == ())


def test_the_nearest_name_is_suggested(client):
    with pytest.raises(hidra.NotFoundError) as raised:
        client.show("minilmm")
    assert raised.value.details["suggestion"] == "minilm"
    assert isinstance(raised.value, LookupError)


def test_what_happens_is_seen_in_order_and_without_gaps(home, client, tickets):
    with hidra.Client(home) as other, client.events() as live, client.events(start=0) as all_:
        before = [event.sequence for event in client.events(follow=False)]
        data = {"text": tickets["message"][:40], "label": tickets["intent"][:40]}
        for number in range(3):
            other.train(data, encoder="minilm", name="seen", replace=True, epochs=1, seed=number)
        other.remove("seen")
        seen = []
        while not seen or seen[-1].name != "removed":
            event = live.get(timeout=10)
            assert event is not None
            seen.append(event)
        names = [event.name for event in seen]
        assert names.count("run.finished") == 3 and names.count("head.registered") == 3
        assert [event.sequence for event in seen] == list(range(seen[0].sequence, seen[-1].sequence + 1))
        replayed = [next(all_) for _ in range(seen[-1].sequence - before[0] + 1)]
        assert [event.sequence for event in replayed] == list(range(before[0], seen[-1].sequence + 1))
        assert replayed[-len(seen) :] == seen
        assert live.get(timeout=0.05) is None


def test_events_keep_their_client(home, client):
    stream = hidra.Client(home).events(start=0)
    assert stream.get(timeout=5).sequence >= 1
    stream.close()


def test_events_end_when_the_client_closes(home):
    client = hidra.Client(home)
    stream = client.events()
    threading.Timer(0.2, client.close).start()
    assert list(stream) == []
    with pytest.raises(hidra.CancelledError):
        client.status()


def test_one_client_serves_many_threads(client, tickets):
    expected = client.embed("minilm", tickets["message"][:64])
    failures = []

    def work(start):
        for row in range(start, 64, 8):
            if client.embed("minilm", tickets["message"][row]).tobytes() != expected[row].tobytes():
                failures.append(row)

    threads = [threading.Thread(target=work, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == [] and not any(thread.is_alive() for thread in threads)


def test_two_clients_in_threads_do_not_disturb_each_other(home, tickets):
    data = {"text": tickets["message"][:60], "label": tickets["intent"][:60]}
    digests = {}

    def work(name):
        with hidra.Client(home) as client:
            for _ in range(3):
                digests.setdefault(client.train(data, encoder="minilm", name=name, replace=True, epochs=2).head.digest, name)
            client.remove(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(digests) == 1, "the same rows and seed gave different heads"


def test_clients_are_pickled_by_how_they_connect(client, home):
    with pickle.loads(pickle.dumps(client)) as other:
        assert other.status().process_id == client.status().process_id and other.home == home


def _in_child(client, pipe):
    pipe.send(client.status().process_id)
    pipe.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_client_connects_anew_after_a_fork(client):
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_in_child, args=(client, theirs))
    child.start()
    assert ours.poll(20) and ours.recv() == client.status().process_id
    child.join(10)
    assert child.exitcode == 0


def test_a_forgotten_client_says_goodbye(home, client):
    other = hidra.Client(home)
    until(lambda: client.status().clients >= 2)
    count, reference = client.status().clients, weakref.ref(other)
    del other
    assert reference() is None
    until(lambda: client.status().clients == count - 1)


def test_a_program_that_forgets_to_close_ends_at_once(home):
    start = time.monotonic()
    code = "import hidra; c = hidra.Client(); c.status(); e = c.events()"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "") and time.monotonic() - start < 10


def test_a_daemon_that_does_not_run_is_started_once_by_many(empty_home):
    clients, failures = [], []

    def connect():
        try:
            clients.append(hidra.Client(empty_home))
        except hidra.HidraError as error:
            failures.append(error)

    with pytest.raises(hidra.UnavailableError, match="No hidrad runs"):
        hidra.Client(empty_home + "/none", start=False)
    threads = [threading.Thread(target=connect) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == [] and len({client.status().process_id for client in clients}) == 1
    assert os.stat(empty_home + "/hidrad.log").st_size > 0
    for client in clients:
        client.close()


def test_the_next_request_after_a_restart_connects_anew(empty_home):
    with hidra.Client(empty_home) as client:
        first = client.status().process_id
        stream = client.events()
        client.shutdown(0)
        with pytest.raises(hidra.UnavailableError):
            for _ in stream:
                pass
        assert client.status().process_id != first
        os.kill(client.status().process_id, signal.SIGKILL)
        until(lambda: client._session._link.connection.is_over)
        assert client.status().process_id != first


def test_a_daemon_that_cannot_start_says_why(tmp_path, monkeypatch):
    script = tmp_path / "hidrad"
    script.write_text("#!/bin/sh\necho no room on this disk\nexit 9\n")
    script.chmod(0o755)
    monkeypatch.setenv("HIDRA_DAEMON", str(script))
    with pytest.raises(hidra.UnavailableError, match="stopped at once:\nno room on this disk"):
        hidra.Client(tmp_path / "home")
    monkeypatch.setenv("HIDRA_DAEMON", str(tmp_path / "none"))
    with pytest.raises(hidra.UnavailableError, match="cannot be executed"):
        hidra.Client(tmp_path / "home")


def test_a_silent_daemon_is_a_timeout_and_not_a_hang(empty_home):
    with hidra.Client(empty_home, silence=1.0) as client:
        process = client.status().process_id
        os.kill(process, signal.SIGSTOP)
        try:
            # Each of its threads stops when it is scheduled next.
            threads = [Path(f"/proc/{process}/task/{thread}/stat") for thread in os.listdir(f"/proc/{process}/task")]
            until(lambda: all(thread.read_text().rpartition(")")[2].split()[0] == "T" for thread in threads))
            start = time.monotonic()
            with pytest.raises(hidra.HidraTimeoutError, match="has not answered"):
                client.status()
            assert time.monotonic() - start < 5
            with pytest.raises(hidra.HidraTimeoutError, match="did not answer in time"):
                hidra.Client(empty_home, connect_timeout=0.5)
        finally:
            os.kill(process, signal.SIGCONT)
        until(lambda: client.status().process_id == process)



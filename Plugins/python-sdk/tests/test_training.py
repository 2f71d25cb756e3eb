"""Training, evaluating and predicting through Python equal the command line's, and can be stopped."""

import csv
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import textwrap
import threading
import time

import numpy as np
import pytest

import hidra
from conftest import ENDLESS, TICKETS, until


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_the_head_is_that_of_the_command_line_to_the_byte(client, cli, tickets, tmp_path, head):
    with open(tmp_path / "t.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["message", "intent"])
        writer.writerows(zip(tickets["message"], tickets["intent"]))
    options = ["--text", "message", "--label", "intent", "--encoder", "minilm", "--head", head, "--seed", "7"]
    printed = cli("train", tmp_path / "t.csv", *options, "--holdout", "0.2", "--name", f"cli-{head}", "--json")
    theirs = [json.loads(line) for line in printed.splitlines() if '"result"' in line][-1]
    for name, data in (("path", tmp_path / "t.csv"), ("columns", tickets)):
        result = client.train(
            data, text="message", label="intent", encoder="minilm", name=f"py-{head}-{name}", head=head, seed=7, holdout=0.2
        )
        assert result.head.digest == client.show(f"cli-{head}").digest
        assert result.metrics == client.show(f"cli-{head}").metrics and "accuracy" in result.metrics
        assert client.export(f"py-{head}-{name}") == client.export(f"cli-{head}")
    assert theirs is not None
    texts = tickets["message"][:40] + ["my card has not arrived"]
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps({"t": text}) + "\n" for text in texts))
    printed = cli("predict", f"cli-{head}", "--file", tmp_path / "texts.jsonl", "--column", "t", "--top", "3")
    rows = list(csv.DictReader(printed.splitlines(), delimiter="\t"))
    answers = client.predict(f"py-{head}-path", texts, top=3)
    assert ["|".join(score.label for score in answer.labels) for answer in answers] == [row[f"cli-{head}"] for row in rows]
    evaluation = client.evaluate(f"py-{head}-path", tickets, text="message", label="intent")
    printed = cli("eval", f"cli-{head}", tmp_path / "t.csv", "--text", "message", "--label", "intent", "--json")
    theirs = json.loads(printed.splitlines()[-1])
    assert evaluation.rows == 300 and evaluation.metrics["accuracy"] == pytest.approx(theirs["metrics"]["accuracy"], abs=0)


def test_a_result_tells_what_happened(client, tickets):
    reports = []
    result = client.train(
        tickets, text="message", label="urgency", encoder="minilm", name="told", holdout=0.25, epochs=4, progress=reports.append
    )
    assert {report.phase for report in reports} >= {"extracting features", "training"} and reports[0].job
    assert result.train_rows + result.validation_rows + result.test_rows == 300 and result.test_rows == 75
    assert result.evaluation.rows == 75 and {c.label for c in result.evaluation.classes} == set(result.head.labels)
    assert result.timings["total"] > 0 and result.run.state == "finished" and result.run.configuration
    run = client.show(result.run_id)
    assert {point.name for point in run.history} >= {"loss", "validation_score"}
    assert client.runs()[0].id == result.run_id
    assert [head.name for head in client.heads() if head.name == "told"] == ["told"]
    assert client.remove("told") == ["told"]


def test_several_heads_answer_together(client, tickets):
    for column in ("urgency", "tone"):
        client.train(tickets, text="message", label=column, encoder="minilm", name=f"both-{column}", epochs=3)
    answers = client.predict(["both-urgency", "both-tone"], tickets["message"][:3], top=99)
    assert len(answers) == 3 and set(answers[0]) == {"both-urgency", "both-tone"}
    for column in ("urgency", "tone"):
        scores = answers[0][f"both-{column}"].labels
        assert {score.label for score in scores} == set(tickets[column])
        assert sum(score.score for score in scores) == pytest.approx(1, abs=1e-5)
        assert answers[0][f"both-{column}"].label == scores[0].label
    assert client.predict("both-tone", "hello")[0].tokens > 2


def test_several_labels_and_numbers(client, tickets):
    rows = [
        {"text": text, "labels": [urgency, tone], "length": len(text)}
        for text, urgency, tone in zip(tickets["message"], tickets["urgency"], tickets["tone"])
    ]
    client.train(rows, label="labels", encoder="minilm", name="tags", task="multilabel", epochs=10)
    (answer,) = client.predict("tags", rows[0]["text"], top=2)
    assert len(answer.labels) == 2 and all(0 <= score.score <= 1 for score in answer.labels)
    result = client.train(rows, label="length", encoder="minilm", name="length", task="regress", holdout=0.2)
    assert set(result.metrics) == {"mae", "rmse", "r2"}
    (answer,) = client.predict("length", rows[0]["text"])
    assert answer.value > 0 and answer.label is None


def test_test_rows_of_their_own(client, tickets):
    test = {name: values[200:] for name, values in tickets.items()}
    train = {name: values[:200] for name, values in tickets.items()}
    result = client.train(train, text="message", label="tone", encoder="minilm", name="own-test", test=test, epochs=3)
    assert (result.train_rows + result.validation_rows, result.test_rows) == (200, 100)


@pytest.mark.parametrize(
    "changes, error, match",
    [
        (dict(text="mesage"), hidra.NotFoundError, "did you mean 'message'"),
        (dict(label="intents"), hidra.NotFoundError, "did you mean 'intent'"),
        (dict(text="intent"), hidra.InvalidArgumentError, "both"),
        (dict(encoder="minilmm"), hidra.NotFoundError, "minilm"),
        (dict(name="no good name"), hidra.InvalidArgumentError, "name"),
        (dict(task="cluster"), hidra.InvalidArgumentError, "classify"),
        (dict(task="regress"), hidra.InvalidDataError, "number"),
        (dict(epochs=10**6), hidra.InvalidArgumentError, "epochs"),
        (dict(epochs="many"), hidra.InvalidArgumentError, "wrong type"),
        (dict(epochs=-1), hidra.InvalidArgumentError, "out of range"),
        (dict(holdout=1.5), hidra.InvalidArgumentError, "hold-out share"),
        (dict(holdout=0.1, test={"message": ["a"], "intent": ["b"]}), hidra.InvalidArgumentError, "Give one"),
        (dict(hidden=8), hidra.InvalidArgumentError, "mlp"),
        (dict(head="transformer"), hidra.NotFoundError, "'linear' and 'mlp'"),
        (dict(head=b"no graph"), hidra.HidraError, "."),
        (dict(head=3), hidra.InvalidArgumentError, "is no head"),
        (dict(data={"message": ["a", "b"], "intent": ["x", "x"]}), hidra.InvalidDataError, "at least two"),
        (dict(data={"message": [], "intent": []}), hidra.InvalidDataError, "no rows"),
        (dict(data={"message": ["a", "b"], "intent": ["x", " "]}), hidra.InvalidDataError, "row 2"),
    ],
)
def test_what_cannot_be_trained_says_why(client, tickets, changes, error, match):
    settings = dict(data=tickets, text="message", label="intent", encoder="minilm", name="never")
    settings.update(changes)
    with pytest.raises(error, match=match):
        client.train(settings.pop("data"), **settings)
    assert not [head for head in client.heads() if head.name in ("never", "no good name")]


def test_a_name_that_is_taken_is_kept_or_replaced(client, tickets):
    settings = dict(text="message", label="tone", encoder="minilm", name="taken", epochs=2)
    client.train(tickets, **settings)
    with pytest.raises(hidra.AlreadyExistsError):
        client.train(tickets, **settings)
    client.train(tickets, replace=True, **settings)


def test_large_tables_arrive_whole(client):
    """The last of 60,000 rows, in the last of some twenty messages, is the one that is complained of."""
    labels = ["a", "b"] * 30_000
    labels[-1] = " "
    with pytest.raises(hidra.InvalidDataError) as raised:
        client.train({"text": ["word " * 70] * 60_000, "label": labels}, encoder="minilm", name="large")
    assert raised.value.details["row"] == "60000"


def test_a_training_can_be_cancelled_by_anybody(client, home, tickets):
    def cancel(progress):
        if progress.phase == "training" and not cancelled:
            with hidra.Client(home) as other:
                (job,) = other.status().jobs
                assert (job.kind, job.subject, job.id) == ("train", "endless", progress.job)
                cancelled.append(other.cancel(job.id))

    cancelled = []
    with pytest.raises(hidra.CancelledError):
        client.train(tickets, name="endless", progress=cancel, **ENDLESS)
    assert cancelled == [True]
    assert client.runs()[0].state == "cancelled" and not client.cancel("job-999999")


def test_an_exception_in_the_progress_function_cancels_the_training(client, tickets):
    class Enough(Exception):
        pass

    def stop(progress):
        if progress.phase == "training":
            raise Enough

    with pytest.raises(Enough):
        client.train(tickets, name="endless", progress=stop, **ENDLESS)
    until(lambda: client.status().jobs == ())
    assert client.runs()[0].state == "cancelled"


def test_a_training_ends_when_its_time_is_over(client, tickets):
    start = time.monotonic()
    with pytest.raises(hidra.HidraTimeoutError, match="longer than it was given"):
        client.train(tickets, name="endless", timeout=1.0, **ENDLESS)
    assert time.monotonic() - start < 5
    until(lambda: client.status().jobs == ())
    assert not [head for head in client.heads() if head.name == "endless"]


def test_closing_the_client_ends_requests_in_other_threads(home, tickets):
    client, ends = hidra.Client(home), []
    started = threading.Event()

    def work():
        try:
            client.train(tickets, name="endless", progress=lambda progress: started.set(), **ENDLESS)
        except hidra.HidraError as error:
            ends.append(error.code)

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(20)
    client.close()
    thread.join(10)
    assert ends == ["cancelled"]
    with hidra.Client(home) as other:
        # A training goes on when its client leaves.
        for job in other.status().jobs:
            other.cancel(job.id)
        until(lambda: other.status().jobs == ())


def test_a_daemon_that_dies_in_a_training_is_an_error_and_the_next_request_starts_another(home, tickets):
    def kill(progress):
        if progress.phase == "training":
            os.kill(process, signal.SIGKILL)

    with hidra.Client(home) as client:
        process = client.status().process_id
        before = client.heads()
        with pytest.raises(hidra.UnavailableError, match="hidrad is gone"):
            client.train(tickets, name="endless", progress=kill, **ENDLESS)
        assert client.heads() == before and client.status().process_id != process
        assert client.runs()[0].state == "interrupted"
        assert client.train(tickets, text="message", label="tone", encoder="minilm", name="after", epochs=1).cache_misses == 0


BAR = f"""
import hidra
client = hidra.Client()
client.train({str(TICKETS)!r}, text="message", label="intent", encoder="minilm", name="bar", replace=True)
"""


def test_a_bar_is_shown_on_a_terminal_and_nowhere_else(client):
    pytest.importorskip("tqdm")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    process = subprocess.Popen([sys.executable, "-W", "error", "-c", BAR], stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while block := os.read(ours, 4096):
            shown += block
    except OSError:
        pass  # Linux: the other end is closed.
    os.close(ours)
    assert process.wait(60) == 0 and b"training" in shown and b"rows" in shown
    done = subprocess.run([sys.executable, "-W", "error", "-c", BAR], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


PROGRAM = """
import sys, hidra
sys.path.insert(0, {tests!r})
from conftest import ENDLESS
client = hidra.Client()
def tell(progress):
    if progress.phase == "training":
        print("training", flush=True)
try:
    {request}
except KeyboardInterrupt:
    print("interrupted", flush=True)
    print(client.status().process_id > 0)
"""


@pytest.mark.parametrize(
    "request_",
    [
        f"client.train({str(TICKETS)!r}, name='endless', progress=tell, **ENDLESS)",
        "print('training', flush=True); [event for event in client.events()]",
    ],
)
def test_ctrl_c_ends_a_request_at_once_and_cancels_it(client, tmp_path, request_):
    from pathlib import Path

    program = PROGRAM.format(tests=str(Path(__file__).parent), request=request_)
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "training\n"
        time.sleep(0.2)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=20)[0]
        assert "interrupted\nTrue\n" in rest and process.returncode == 0
        assert time.monotonic() - start < 5
    finally:
        process.kill()
    until(lambda: client.status().jobs == ())


def test_a_graph_is_a_head_and_runs_by_itself(client, tickets):
    client.train(tickets, text="message", label="tone", encoder="minilm", name="flat", epochs=2)
    model = client.export("flat")
    report = client.check_graph(model)
    assert report.problems == () and report.parameters == client.show("flat").parameters
    result = client.train(tickets, text="message", label="tone", encoder="minilm", name="graph", head=model, epochs=2)
    assert result.head.kind == "graph"
    features = client.embed("minilm", tickets["message"][:5])
    (outputs,) = client.run_graph(client.export("graph"), {"features": features}).values()
    best = [result.head.labels[i] for i in outputs.argmax(axis=1)]
    assert best == [answer.label for answer in client.predict("graph", tickets["message"][:5])]
    with pytest.raises(hidra.HidraError):
        client.run_graph(model, {"features": np.zeros((2, 7), np.float32)})

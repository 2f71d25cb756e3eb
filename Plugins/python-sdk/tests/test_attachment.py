"""Heads trained step by step, through a real daemon that is killed now and then."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

import hidra
from conftest import until


@pytest.fixture
def steps(client):
    """A client whose daemon knows the verbs."""
    if "steps" not in client._session.link().capabilities:
        pytest.skip("needs a hidrad that trains heads step by step")
    return client


TEXTS = ["it is broken again", "thank you so much", "nothing works and I am furious", "lovely, that was quick"]
LABELS = ["angry", "calm", "angry", "calm"]
SETTINGS = dict(encoder="minilm", labels=["angry", "calm"], lr=0.05, seed=3)


def _loss(outputs, targets):
    """Cross-entropy and its gradients, by hand."""
    exponentials = np.exp(outputs - outputs.max(1, keepdims=True))
    probabilities = exponentials / exponentials.sum(1, keepdims=True)
    rows = np.arange(len(targets))
    gradients = probabilities.copy()
    gradients[rows, targets] -= 1
    return float(-np.log(probabilities[rows, targets]).mean()), (gradients / len(targets)).astype(np.float32)


def _train(attachment, count):
    for _ in range(count):
        attachment.forward_backward(TEXTS, LABELS)
        attachment.optim_step()


def _kill(client):
    os.kill(client.status().process_id, signal.SIGKILL)
    until(lambda: client._session._link.connection.is_over)


def test_a_head_is_trained_with_a_loop_of_ones_own(steps):
    with steps.attach("mood", replace=True, **SETTINGS) as attachment:
        assert attachment.outputs == 2 and attachment.loss == "cross_entropy" and attachment.parameters == 2 * 384 + 2
        first = attachment.forward_backward(TEXTS, LABELS).loss
        assert attachment.optim_step().steps == 1
        _train(attachment, 30)
        result = attachment.forward_backward(list(zip(TEXTS)), LABELS, outputs=True)
        assert result.loss < first and result.outputs.argmax(1).tolist() == [0, 1, 0, 1]
        assert attachment.optim_step().steps == attachment.steps == 32 and attachment.sequence == 64
        head = attachment.detach(metrics={"accuracy": 1.0})
    assert head.name == "mood" and head.metrics == {"accuracy": 1.0} and head.labels == ("angry", "calm")
    assert [answer.label for answer in steps.predict("mood", TEXTS)] == LABELS
    assert steps.show(attachment.run).state == "finished"


def test_a_loss_of_ones_own_trains_the_same_weights(steps):
    with steps.attach("own", **SETTINGS) as own, steps.attach("theirs", **SETTINGS) as theirs:
        for _ in range(5):
            loss, gradients = _loss(own.forward(TEXTS, training=True), np.array([0, 1, 0, 1]))
            own.backward(gradients, step=True)
            result = theirs.forward_backward({"text": TEXTS, "label": LABELS})
            theirs.optim_step()
            assert loss == pytest.approx(result.loss, rel=1e-5)
        np.testing.assert_allclose(own.forward(TEXTS), theirs.forward(TEXTS), atol=1e-5)
        assert own.detach(keep=False) is None and theirs.detach(keep=False) is None


def test_loaded_rows_are_named_by_their_numbers(steps):
    with steps.attach("rows", **SETTINGS) as attachment:
        assert attachment.load({"text": TEXTS, "label": LABELS}) == 4
        first = attachment.forward(rows=[2, 0])
        assert (first == attachment.forward([TEXTS[2], TEXTS[0]])).all()
        assert attachment.forward_backward(rows=[0, 1, 2, 3]).loss > 0
        with pytest.raises(hidra.InvalidArgumentError):
            attachment.forward(rows=[4])
        attachment.detach(keep=False)


def test_states_are_saved_and_loaded(steps):
    with steps.attach("saved", **SETTINGS) as attachment:
        _train(attachment, 3)
        state, outputs = attachment.save_state(), attachment.forward(TEXTS)
        _train(attachment, 3)
        assert (attachment.forward(TEXTS) != outputs).any()
        assert attachment.load_state(state) == 3
        assert (attachment.forward(TEXTS) == outputs).all()
        attachment.detach(keep=False)


def test_what_is_refused_changes_nothing_and_takes_no_number(steps):
    with steps.attach("refused", **SETTINGS) as attachment:
        _train(attachment, 1)
        for wrong in (
            lambda: attachment.forward_backward(TEXTS, ["angry", "calm", "glad", "calm"]),
            lambda: attachment.backward(np.zeros((4, 2))),
            lambda: attachment.optim_step(),
            lambda: attachment.load_state(b"no state"),
            lambda: attachment.forward_backward(TEXTS),
            lambda: attachment.forward_backward({"txt": TEXTS, "label": LABELS}),
        ):
            with pytest.raises(hidra.HidraError):
                wrong()
            assert attachment.sequence == 2
        _train(attachment, 1)
        attachment.detach(keep=False)
        with pytest.raises(hidra.ConflictError, match="detached"):
            attachment.forward(TEXTS)
    for wrong in (dict(labels=["one"]), dict(optimiser="magic"), dict(encoder="nobody"), dict(task="cluster")):
        with pytest.raises(hidra.HidraError):
            steps.attach("never", **{**SETTINGS, **wrong})


@pytest.mark.parametrize("checkpoint_steps", [1, 3])
def test_a_daemon_that_is_killed_between_any_two_steps_loses_none_and_doubles_none(home, steps, checkpoint_steps):
    with steps.attach("calm-sea", **SETTINGS) as quiet:
        _train(quiet, 5)
        expected = quiet.forward(TEXTS)
        quiet.detach(keep=False)
    with hidra.Client(home) as other, other.attach("storm", checkpoint_steps=checkpoint_steps, **SETTINGS) as attachment:
        attachment.load({"text": TEXTS, "label": LABELS})
        for step in range(5):
            if step == 1:
                _kill(other)
            attachment.forward_backward(rows=range(4))
            if step == 3:
                _kill(other)
            assert attachment.optim_step().steps == step + 1
        assert (attachment.forward(TEXTS) == expected).all()
        attachment.detach(keep=False)


def test_a_step_whose_reply_was_lost_is_not_applied_again(home, steps):
    with hidra.Client(home) as other, other.attach("lost-reply", **SETTINGS) as attachment:
        _train(attachment, 1)
        attachment.forward_backward(TEXTS, LABELS)
        send, attachment._send = attachment._send, None

        def lose(step):
            attachment._send = send
            send(step)
            _kill(other)
            raise hidra.UnavailableError("lost")

        attachment._send = lose
        result = attachment.optim_step()
        assert result.steps == 2 and np.isnan(result.gradient_norm) and attachment.sequence == 4
        with steps.attach("no-loss", **SETTINGS) as quiet:
            _train(quiet, 2)
            assert (quiet.forward(TEXTS) == attachment.forward(TEXTS)).all()
            quiet.detach(keep=False)
        attachment.detach(keep=False)


def test_another_program_goes_on_where_one_has_crashed(home, steps):
    with hidra.Client(home) as first:
        crashed = first.attach("handed-on", **SETTINGS)
        _train(crashed, 2)
        crashed.forward_backward(TEXTS, LABELS)
    until(lambda: steps.show(crashed.run).state == "interrupted")
    with steps.attach("handed-on", run=crashed.run) as attachment:
        assert (attachment.steps, attachment.sequence) == (2, 4)
        _train(attachment, 1)
        assert attachment.detach().name == "handed-on"
    steps.remove("handed-on")


def test_without_patience_a_lost_connection_is_an_error_and_reattach_goes_on(home, steps):
    with hidra.Client(home) as other, other.attach("impatient", reconnect=0, **SETTINGS) as attachment:
        _train(attachment, 2)
        _kill(other)
        with pytest.raises(hidra.UnavailableError):
            attachment.optim_step()
        assert attachment.reattach() == 4 and attachment.steps == 2
        _train(attachment, 1)
        attachment.detach(keep=False)


def test_an_older_daemon_is_told_from_one_that_refuses(client):
    link = client._session.link()
    object.__setattr__(link, "capabilities", frozenset())
    with pytest.raises(hidra.UnsupportedError, match="step by step"):
        client.attach("never", **SETTINGS)
    with pytest.raises(hidra.UnsupportedError, match="own"):
        client.train({"text": ["a", "b"], "label": ["x", "y"]}, encoder="minilm", name="never", loss=lambda o, t: None)


@pytest.mark.parametrize("stopped", ["forward_backward", "optim_step"])
def test_after_a_time_out_the_attachment_tells_what_became_of_the_step(home, steps, stopped):
    def attempt(attachment, name, process):
        action = {"forward_backward": lambda: attachment.forward_backward(TEXTS, LABELS), "optim_step": attachment.optim_step}[name]
        if name != stopped or attachment.steps != 1:
            return action()
        sequence, count = attachment.sequence, attachment.steps
        os.kill(process, signal.SIGSTOP)
        try:
            with pytest.raises(hidra.HidraTimeoutError):
                action()
        finally:
            os.kill(process, signal.SIGCONT)
        attachment.reattach()
        if (attachment.sequence, attachment.steps) == (sequence, count):
            action()

    with hidra.Client(home, silence=0.7) as other, other.attach("stopped", **SETTINGS) as attachment:
        process = other.status().process_id
        for _ in range(3):
            attempt(attachment, "forward_backward", process)
            attempt(attachment, "optim_step", process)
        assert (attachment.steps, attachment.sequence) == (3, 6)
        with steps.attach("never-stopped", **SETTINGS) as quiet:
            _train(quiet, 3)
            assert (quiet.forward(TEXTS) == attachment.forward(TEXTS)).all()
            quiet.detach(keep=False)
        attachment.detach(keep=False)


CRASH = """
import os, sys, hidra
client = hidra.Client()
attachment = client.attach("crash", encoder="minilm", labels=["angry", "calm"], lr=0.05, seed=3)
for _ in range(2):
    attachment.forward_backward({texts!r}, {labels!r})
    attachment.optim_step()
attachment.forward_backward({texts!r}, {labels!r})
print(attachment.run, flush=True)
os.kill(os.getpid(), 9)
"""


def test_a_program_killed_between_gradients_and_their_step_leaves_the_last_step(home, steps):
    done = subprocess.run(
        [sys.executable, "-c", CRASH.format(texts=TEXTS, labels=LABELS)], capture_output=True, text=True, timeout=60
    )
    run = done.stdout.strip()
    until(lambda: steps.show(run).state == "interrupted")
    with steps.attach("crash", run=run) as attachment, steps.attach("no-crash", **SETTINGS) as quiet:
        assert (attachment.steps, attachment.sequence) == (2, 4)
        _train(attachment, 1)
        _train(quiet, 3)
        assert (quiet.forward(TEXTS) == attachment.forward(TEXTS)).all()
        attachment.detach(keep=False)
        quiet.detach(keep=False)


def test_a_detach_that_the_daemons_death_cut_short_is_done_again(steps, tmp_path):
    """The head is registered, its run not yet ended: what is left when the daemon is killed between the two."""
    with steps.attach("cut-short", **SETTINGS) as attachment:
        _train(attachment, 3)
        run = attachment.run
        folder = os.path.join(steps.home, "runs", run)
        shutil.copytree(folder, tmp_path / "run")
        head = attachment.detach(keep=True)
    _kill(steps)
    shutil.copytree(tmp_path / "run", folder)
    with sqlite3.connect(os.path.join(steps.home, "registry.sqlite")) as registry:
        registry.execute("UPDATE run SET state = 'running', ended = NULL WHERE id = ?", (run,))
    registry.close()
    with steps.attach("cut-short", run=run) as again:
        assert again.steps == 3
        assert again.detach(keep=True).digest == head.digest
    assert steps.show(run).state == "finished" and [h.name for h in steps.heads()].count("cut-short") == 1
    # Another run's head of that name is another matter.
    with pytest.raises(hidra.AlreadyExistsError):
        steps.attach("cut-short", **SETTINGS)
    steps.remove("cut-short")

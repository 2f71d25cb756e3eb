"""Which steps are repeated after a lost connection."""

import pytest

import hidra
from hidra.journal import Journal
from hidra.v1 import steps_pb2


def _add(journal, count):
    return [journal.add("optim_step", steps_pb2.OptimStepRequest(), {}) for _ in range(count)]


def _numbers(steps):
    return [step.number for step in steps]


def test_steps_are_numbered_and_those_since_the_last_state_are_kept():
    journal = Journal(checkpoint_steps=2)
    first, second, third = _add(journal, 3)
    assert [step.request.sequence for step in (first, second, third)] == [1, 2, 3]
    assert _numbers(journal.after(1)) == [2, 3]
    journal.stepped(1)
    assert _numbers(journal.after(0)) == [1, 2, 3], "no state was written with the first of two optimiser steps"
    journal.stepped(2)
    assert journal.after(3) == [] and journal.last == 3


def test_a_refused_step_gives_its_number_back():
    journal = Journal(checkpoint_steps=1, applied=7)
    (step,) = _add(journal, 1)
    journal.discard(step)
    assert journal.last == 7 and _numbers(_add(journal, 1)) == [8]
    journal.discard(step)
    assert journal.last == 8, "only the last step can be taken back"


def test_steps_that_nobody_has_any_more_are_a_conflict():
    journal = Journal(checkpoint_steps=1)
    _add(journal, 2)
    journal.stepped(1)
    _add(journal, 1)
    assert _numbers(journal.after(2)) == [3]
    for applied in (1, 5):
        with pytest.raises(hidra.ConflictError, match="run="):
            journal.after(applied)

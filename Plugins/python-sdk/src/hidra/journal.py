"""The steps of an attachment since its state was last written down: a state machine without sockets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List

from google.protobuf.message import Message

from .errors import ConflictError


@dataclass
class Step:
    """A request that changes an attachment. Its number makes a repetition harmless."""

    number: int
    kind: str
    request: Message
    tensors: Dict[str, Any] = field(default_factory=dict)


class Journal:
    """Numbers steps, and keeps those that a daemon which is started again will not know of.

    The daemon writes its state down with every ``checkpoint_steps``-th optimiser step. What came after the last of these
    is kept here and repeated: it has the same result, for dropout depends on seed and number alone.
    """

    def __init__(self, checkpoint_steps: int, applied: int = 0) -> None:
        self._checkpoint_steps = checkpoint_steps
        self._last = applied
        self._steps: List[Step] = []

    @property
    def last(self) -> int:
        """Number of the last step; 0: none yet."""
        return self._last

    def add(self, kind: str, request: Any, tensors: Dict[str, Any]) -> Step:
        self._last += 1
        request.sequence = self._last
        step = Step(self._last, kind, request, tensors)
        self._steps.append(step)
        return step

    def discard(self, step: Step) -> None:
        """It was refused, so nothing changed, and its number is free."""
        if self._steps and self._steps[-1] is step:
            self._steps.pop()
            self._last -= 1

    def stepped(self, optimiser_steps: int) -> None:
        """An optimiser step was answered; with some of them goes all that came before."""
        if optimiser_steps % self._checkpoint_steps == 0:
            self._steps.clear()

    def after(self, applied: int) -> List[Step]:
        """The steps to repeat when the daemon has applied and written down those up to ``applied``."""
        missing = [step for step in self._steps if step.number > applied]
        first = missing[0].number if missing else self._last + 1
        if first != applied + 1:
            raise ConflictError(
                f"The daemon's state is that after step {applied}, this attachment's that after step {self._last}, and the "
                "steps between them are not known here. Attach again with run=, and go on from `steps`.",
                details={"sequence": str(applied)},
            )
        return missing

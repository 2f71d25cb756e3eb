"""A head that is trained step by step, with a loop of the program's own: ``proto/hidra/v1/steps.proto``."""

from __future__ import annotations

import math
import secrets
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Sequence, Type, TypeVar

import numpy as np

from .batches import Labels, LoadedRows, batch_of
from .calls import drop
from .errors import (
    CancelledError, ConflictError, HidraError, HidraTimeoutError, InterruptedByShutdownError, NotFoundError, UnavailableError,
)  # fmt: skip
from .journal import Journal, Step
from .results import Head, Run
from .rows import text_rows
from .tables import Data
from .v1 import envelope_pb2, steps_pb2
from .wire import Reply

if TYPE_CHECKING:
    from .attaching import Attaching

Self = TypeVar("Self", bound="Attachment")
T = TypeVar("T")
Array = Any

# After these nobody knows whether the step was applied.
_UNCERTAIN = (HidraTimeoutError, CancelledError, InterruptedByShutdownError, UnavailableError)
_PAUSE = 0.05


@dataclass(frozen=True)
class StepResult:
    """``loss``: the mean over the batch, of ``forward_backward``. ``steps``: the optimiser's so far; ``gradient_norm``: before
    clipping, of its step (NaN where the connection was lost after it). ``outputs``: where they were asked for. ``truncated``: texts longer than the encoder takes."""

    loss: Optional[float] = None
    steps: int = 0
    gradient_norm: Optional[float] = None
    outputs: Optional[Array] = None
    truncated: int = 0


class Attachment:
    """Made by ``Client.attach``. The daemon keeps weights, gradients and optimiser; the program says what happens when.

        with client.attach("tone", encoder="minilm", labels=["calm", "angry"], lr=0.01) as attachment:
            for texts, labels in batches:
                attachment.forward_backward(texts, labels)
                attachment.optim_step()
            head = attachment.detach(keep=True)

    A batch is a list of texts; tuples, one value a column; rows as ``train`` takes them; or ``rows=``, numbers of rows that
    ``load`` has sent. Each step is applied once, also when the connection is lost or the daemon is started again meanwhile:
    then the attachment attaches anew by itself, for up to ``reconnect`` seconds, and repeats what is missing. After a time-out
    or Ctrl-C the step may have been applied or not: ``sequence`` and ``steps`` tell after ``reattach()``.
    Used by one thread at a time; others wait.
    """

    def __init__(self, client: Attaching, request: steps_pb2.AttachRequest, columns: Sequence[str], reconnect: float) -> None:
        self._client = client
        self._request = request
        self._columns = tuple(columns)
        self._reconnect = reconnect
        self._lock = threading.RLock()
        self._rows: Optional[LoadedRows] = None
        self._uncertain: Optional[Step] = None
        self._is_over = False
        self._link = client._session.link()
        reply = self._attach()
        self._journal = Journal(request.checkpoint_steps or 1, reply.sequence)
        self.run: str = reply.run
        self.parameters: int = reply.parameters
        self.outputs: int = reply.outputs
        self.loss: str = reply.loss

    @property
    def sequence(self) -> int:
        """Number of the last step."""
        return self._journal.last

    @property
    def steps(self) -> int:
        """Of the optimiser, so far."""
        return self._steps

    # Data

    def load(self, data: Data, *, label: str = "label", label_separator: str = "|") -> int:
        """Sends rows that batches then name by ``rows=``, counted from 0, and returns how many there are.

        They replace those sent before, so do it between optimiser steps.
        """
        with self._lock:
            self._forget_rows()
            table = text_rows(data, self._columns, label, label_separator)
            self._rows = LoadedRows("data-" + secrets.token_hex(8), table, label, label_separator)
            self._send_rows(self._rows)
            return table.sent

    # Steps

    def forward(self, batch: Any = None, *, rows: Optional[Sequence[int]] = None, training: bool = False) -> Array:
        """The outputs for a batch, float32 ``[rows, outputs]``, before any softmax or sigmoid.

        ``training``: as in training, with dropout, and kept for the ``backward`` that follows; otherwise as in a prediction.
        """
        with self._lock:
            request = steps_pb2.ForwardRequest(batch=batch_of(batch, rows, self._columns, self._rows))
            reply = self._step("forward", request) if training else self._read("forward", request)
            return reply.arrays()["outputs"]

    def forward_backward(
        self, batch: Any = None, labels: Optional[Sequence[Any]] = None, *, rows: Optional[Sequence[int]] = None,
        label: str = "label", scale: float = 1.0, outputs: bool = False,
    ) -> StepResult:  # fmt: skip
        """Adds the gradients of the attachment's own loss to those since the last optimiser step.

        ``labels``: of the batch, or they are its column ``label``. ``scale``: of the gradients; 1/n to accumulate n batches.
        """
        with self._lock:
            request = steps_pb2.ForwardBackwardRequest(
                batch=batch_of(batch, rows, self._columns, self._rows, Labels(labels, label)), scale=scale, outputs=outputs
            )
            reply = self._step("forward_backward", request)
            answer = reply.envelope.forward_backward_reply
            return StepResult(loss=answer.loss, outputs=reply.arrays().get("outputs"), truncated=answer.truncated)

    def backward(self, gradients: Array, *, step: bool = False, lr: float = 0.0) -> StepResult:
        """Adds what gradients of the outputs, ``[rows, outputs]`` of the last ``forward(training=True)``, make of the weights.

        ``step``: step the optimiser at once, with the rate ``lr`` (0: the attachment's): one round trip less.
        """
        with self._lock:
            request = steps_pb2.BackwardRequest(step=step, learning_rate=lr)
            reply = self._step("backward", request, {"gradients": np.asarray(gradients, np.float32)})
            answer = reply.envelope.backward_reply
            if step:
                self._stepped(answer.steps)
            return StepResult(steps=answer.steps, gradient_norm=answer.gradient_norm if step else None)

    def optim_step(self, *, lr: float = 0.0) -> StepResult:
        """Changes the weights by the gradients, which are zero from then on. ``lr``: 0: the attachment's."""
        with self._lock:
            answer = self._step("optim_step", steps_pb2.OptimStepRequest(learning_rate=lr)).envelope.optim_step_reply
            self._stepped(answer.steps)
            return StepResult(steps=answer.steps, gradient_norm=answer.gradient_norm)

    def save_state(self) -> bytes:
        """Weights and optimiser, as a safetensors file."""
        with self._lock:
            return bytes(self._read("save_state", steps_pb2.SaveStateRequest()).arrays()["state"].tobytes())

    def load_state(self, state: bytes) -> int:
        """Takes a state of ``save_state``, of this attachment or of another of the same shapes. Returns its steps."""
        with self._lock:
            tensors = {"state": np.frombuffer(state, np.uint8)}
            answer = self._step("load_state", steps_pb2.LoadStateRequest(), tensors).envelope.load_state_reply
            self._stepped(answer.steps)
            return int(answer.steps)

    # The end, and a new beginning

    def detach(self, *, keep: bool = True, metrics: Optional[Mapping[str, float]] = None) -> Optional[Head]:
        """Ends the attachment. ``keep``: registers the head, with ``metrics``, and returns it; else its weights are gone."""
        with self._lock:
            request = steps_pb2.DetachRequest(keep=keep, metrics=dict(metrics or {}))
            self._settle()
            reply = self._persist(lambda: self._ask("detach", request, {}), lambda: self._detach_again(request))
            answer = reply.envelope.detach_reply
            self._is_over = True
            self._forget_rows()
            self.record = Run.of(answer.run)
            return Head.of(answer.head) if keep else None

    def reattach(self) -> int:
        """Attaches anew, after a lost connection or to a daemon that was started again, and repeats the steps it does not
        have. Returns the number of the last step. A step that timed out is not repeated."""

        def again() -> None:
            self._repeat()

        with self._lock:
            self._persist(again, again)
            return self.sequence

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: object) -> None:
        """Lets go: an attachment that was not detached can be gone on with, by ``Client.attach(name, run=…)``."""
        with self._lock:
            self._forget_rows()

    def __repr__(self) -> str:
        return f"<hidra.Attachment {self._request.head!r} run={self.run!r} sequence={self.sequence}>"

    # What they are made of

    def _attach(self) -> steps_pb2.AttachReply:
        reply = self._client._work("attach", self._request, "attach_reply", link=self._link).envelope.attach_reply
        self._steps = reply.steps
        return reply

    def _step(self, kind: str, request: Any, tensors: Optional[Dict[str, Array]] = None) -> Reply:
        self._settle()
        step = self._journal.add(kind, request, tensors or {})
        try:
            return self._persist(lambda: self._send(step), lambda: self._repeat() or self._applied(step))
        except _UNCERTAIN:
            self._uncertain = step
            raise
        except HidraError:
            self._journal.discard(step)
            raise
        except BaseException:
            self._uncertain = step
            raise

    def _read(self, kind: str, request: Any) -> Reply:
        """What changes nothing, or may be repeated."""
        self._settle()

        def again() -> Reply:
            self._repeat()
            return self._ask(kind, request, {})

        return self._persist(lambda: self._ask(kind, request, {}), again)

    def _persist(self, send: Callable[[], T], again: Callable[[], T]) -> T:
        """``send``, and when the daemon went away ``again`` until it is back."""
        deadline: Optional[float] = None
        while True:
            try:
                return send() if deadline is None else again()
            except (UnavailableError, InterruptedByShutdownError):
                now = time.monotonic()
                deadline = now + self._reconnect if deadline is None else deadline
                if now >= deadline or self._client._session.is_closed:
                    raise
                time.sleep(_PAUSE)

    def _settle(self) -> None:
        """Finds out what became of a step whose reply never came."""
        if self._uncertain is not None:
            self.reattach()

    def _repeat(self) -> Optional[Reply]:
        """Attaches on a living link and sends the steps that are missing. Returns the reply to the last of them."""
        self._link = self._client._session.link()
        self._request.run = self.run
        applied = self._attach().sequence
        if self._uncertain is not None and self._uncertain.number > applied:
            self._journal.discard(self._uncertain)
        self._uncertain = None
        if self._rows is not None:
            self._send_rows(self._rows)
        reply: Optional[Reply] = None
        for step in self._journal.after(applied):
            reply = self._send(step)
        return reply

    def _applied(self, step: Step) -> Reply:
        """It was applied and written down before the connection was lost: what is missing is its reply, and remains so."""
        envelope = envelope_pb2.Envelope()
        answer = getattr(envelope, f"{step.kind}_reply")
        answer.sequence, answer.steps = step.number, self._steps
        if step.kind != "load_state":
            answer.gradient_norm = math.nan
        return Reply(envelope)

    def _detach_again(self, request: steps_pb2.DetachRequest) -> Reply:
        self._link = self._client._session.link()
        try:
            # It may be done already, and there is nothing to attach to then.
            return self._ask("detach", request, {})
        except (ConflictError, NotFoundError):
            self._repeat()
            return self._ask("detach", request, {})

    def _stepped(self, steps: int) -> None:
        self._steps = steps
        self._journal.stepped(steps)

    def _send(self, step: Step) -> Reply:
        return self._ask(step.kind, step.request, step.tensors)

    def _ask(self, kind: str, request: Any, tensors: Mapping[str, Array]) -> Reply:
        if self._is_over and kind != "detach":
            raise ConflictError(f"{self._request.head} was detached. Attach another with Client.attach.")
        request.run = self.run
        return self._client._work(kind, request, f"{kind}_reply", tensors=tensors, link=self._link)

    def _send_rows(self, rows: LoadedRows) -> None:
        # To a daemon that has them already, from the beginning.
        drop(self._link, [rows.name])
        self._client._upload(self._link, rows.table, None, [], name=rows.name)

    def _forget_rows(self) -> None:
        if self._rows is not None and not self._link.connection.is_over:
            drop(self._link, [self._rows.name])

"""Attaching heads, to train them step by step."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, Sequence, Tuple, Union

from .attachment import Attachment
from .errors import InvalidArgumentError
from .heads import HeadLike, Inputs, head_inputs, head_kind
from .jobs import Jobs, argument_errors
from .results import TASKS
from .v1 import steps_pb2


class Attaching(Jobs):
    """What ``Client`` trains step by step."""

    def attach(
        self,
        name: str,
        *,
        encoder: str = "",
        labels: Sequence[str] = (),
        task: str = "classify",
        head: HeadLike = "linear",
        hidden: Optional[int] = None,
        dropout: Optional[float] = None,
        text: Union[str, Sequence[str]] = "text",
        inputs: Inputs = None,
        tap: str = "",
        precision: str = "",
        seed: int = 0,
        optimiser: str = "adamw",
        lr: float = 0.0,
        weight_decay: Optional[float] = None,
        momentum: Optional[float] = None,
        betas: Optional[Tuple[float, float]] = None,
        clip_norm: float = 0.0,
        loss: str = "",
        label_smoothing: float = 0.0,
        class_weights: Sequence[float] = (),
        replace: bool = False,
        checkpoint_steps: int = 1,
        run: str = "",
        reconnect: float = 30.0,
    ) -> Attachment:
        """Attaches a new head, to be called ``name`` when it is detached, and trains it with a loop of your own.

        ``labels``: the names of its outputs, in their order. ``head``, ``text``, ``inputs``, ``tap`` and ``precision``: as of
        ``train``. ``optimiser``: adamw, adam, sgd, rmsprop, adagrad or lion, at the rate ``lr`` (0: 0.001). ``loss``:
        cross_entropy, binary_cross_entropy, mean_squared_error, l1 or huber; empty: the one that fits the task; a loss of your
        own needs none: ``forward(training=True)``, then ``backward(gradients)``. Of the task ``"tag"`` the loss is ``crf``, labels are
        given as to ``train``, and outputs and gradients have a row for each word, texts laid end to end.

        The daemon writes the state down with every ``checkpoint_steps``-th optimiser step. ``run``: go on with an attachment
        that was made before, perhaps by a program that has crashed since; of the rest only ``text`` and ``inputs`` count then.
        ``reconnect``: seconds to go on trying when the connection is lost; 0: raise ``UnavailableError`` at once.
        """
        if task not in TASKS:
            raise InvalidArgumentError(f"task is one of {', '.join(TASKS)}; it was {task!r}.")
        if task == "tag" and isinstance(head, str) and head == "linear":
            head = "tagger"
        self._require("steps", "heads that are trained step by step")
        entries = head_inputs(text, inputs)
        columns: List[str] = list(dict.fromkeys(e.column for e in entries)) or ([text] if isinstance(text, str) else list(text))
        optional: Mapping[str, Any] = dict(
            weight_decay=weight_decay, momentum=momentum, beta1=betas[0] if betas else None,
            beta2=betas[1] if betas else None,
        )  # fmt: skip
        with argument_errors():
            request = steps_pb2.AttachRequest(
                head=name, run=run, encoder=encoder, tap=tap, inputs=entries, precision=precision, task=TASKS[task],
                labels=labels, seed=seed, replace=replace, checkpoint_steps=checkpoint_steps,
                optimiser=steps_pb2.Optimiser(
                    name=optimiser, learning_rate=lr, clip_norm=clip_norm,
                    **{key: value for key, value in optional.items() if value is not None},
                ),
                loss=steps_pb2.Loss(name=loss, label_smoothing=label_smoothing, class_weights=class_weights),
            )  # fmt: skip
            if not run:
                kind = head_kind(head, hidden, dropout, lambda: self._input_widths(encoder, tap, entries), inputs)
                request.kind.CopyFrom(kind)
        return Attachment(self, request, columns, reconnect)

    def _input_widths(self, encoder: str, tap: str, entries: Sequence[Any]) -> List[int]:
        places = [(e.encoder or encoder, e.tap or ("" if e.encoder else tap)) for e in entries] or [(encoder, tap)]
        return [
            int(self.embed(name, ["a"], tap=at, progress=False).shape[1]) if at else self._encoder(name).width
            for name, at in places
        ]

"""Training and measuring."""

from __future__ import annotations

from functools import partial
from typing import Any, Callable, Dict, List, Optional, Sequence, Type, Union

from .callbacks import CallBacks
from .calls import drop
from .errors import HidraError, InvalidArgumentError, UnsupportedError
from .heads import HeadLike, Inputs, head_inputs, head_kind
from .latent import LatentSpaces
from .progress import Wish, reporting
from .results import TASKS, Evaluation, GraphReport, TrainResult
from .rows import LabelledRows, image_rows, text_rows
from .tables import Data
from .v1 import graph_pb2, work_pb2


class Jobs(LatentSpaces):
    """What ``Client`` has trained and measured."""

    def train(
        self,
        data: Data,
        *,
        name: str,
        encoder: str = "",
        text: Union[str, Sequence[str]] = "text",
        label: str = "label",
        image: Optional[str] = None,
        inputs: Inputs = None,
        task: str = "classify",
        head: HeadLike = "linear",
        test: Optional[Data] = None,
        holdout: float = 0.0,
        tap: str = "",
        precision: str = "",
        replace: bool = False,
        hidden: Optional[int] = None,
        dropout: Optional[float] = None,
        epochs: Optional[int] = None,
        lr: Optional[float] = None,
        batch_size: Optional[int] = None,
        seed: Optional[int] = None,
        weight_decay: Optional[float] = None,
        warmup: Optional[float] = None,
        patience: Optional[int] = None,
        validation: Optional[float] = None,
        class_weights: bool = False,
        label_smoothing: Optional[float] = None,
        label_separator: str = "|",
        loss: Any = None,
        metrics: Optional[Callable[..., Any]] = None,
        preprocess: Optional[Callable[..., Any]] = None,
        postprocess: Optional[Callable[..., Any]] = None,
        call_deadline: float = 30.0,
        progress: Wish = True,
        timeout: Optional[float] = None,
    ) -> TrainResult:
        """Trains a head on labelled rows. The same rows and seed give the same bytes as ``hidra train``.

        ``data``: the path of a table (.csv, .tsv, .jsonl), a dict of columns, a list of dicts, a pandas or polars frame, an
        Arrow table or a ``datasets.Dataset``; for an image encoder also a folder with a sub-folder for each label, or a tar
        archive of one. ``text`` and ``label`` name its columns, ``image`` the one of images or their paths. ``test``: rows
        to measure on, of the same form; or ``holdout``, a share of the rows.

        ``task``: ``"classify"``, ``"multilabel"`` (labels as a list, or separated by ``label_separator``), ``"regress"``, or
        ``"tag"``: a label for each word, ``O``, ``B-person``, ``I-person``; texts and labels as lists of words, or separated by
        white space. ``head``: ``"linear"``, ``"mlp"`` (with ``hidden`` and ``dropout``), ``"tagger"`` (of ``"tag"``, and its
        default), an ONNX model (bytes or a path), or a ``torch.nn.Module``. ``precision``: as of ``embed``. None of the settings means the daemon's default, which
        ``proto/README.md`` lists.

        A graph of several inputs reads as many columns: ``text=["question", "answer"]`` in its order; or ``inputs``, by name,
        a column or a ``HeadInput`` with an encoder and a tap of its own.

        ``loss``, ``metrics``, ``preprocess`` and ``postprocess``: functions of your own, called while the daemon trains; what
        they get and return stands at ``hidra.plugin.Plugin``. ``call_deadline``: seconds that one call may take.
        """
        if task not in TASKS:
            raise InvalidArgumentError(f"task is one of {', '.join(TASKS)}; it was {task!r}.")
        if test is not None and holdout:
            raise InvalidArgumentError("test= brings its own test rows; holdout= takes them from the data. Give one.")
        if task == "tag":
            head, label_separator = "tagger" if head == "linear" else head, " "
        calls = CallBacks(loss, metrics, preprocess, postprocess)
        deadline = self._deadline(timeout)
        entries = head_inputs(text, inputs)
        read = self._reader(encoder or next((e.encoder for e in entries if e.encoder), ""), text, image, label, inputs)
        rows = read(data, separator=label_separator)
        test_rows = read(test, separator=label_separator) if test is not None else None
        settings: Dict[str, Any] = dict(
            epochs=epochs, learning_rate=lr, batch_size=batch_size, seed=seed, weight_decay=weight_decay,
            warmup=warmup, patience=patience, validation=validation, label_smoothing=label_smoothing,
        )  # fmt: skip
        with argument_errors():
            request = work_pb2.TrainRequest(
                head=name, encoder=encoder, task=TASKS[task], input_column=rows.inputs[0], label_column=rows.label,
                name_column=rows.name, holdout=holdout, tap=tap, precision=precision, replace=replace,
                label_separator="" if task == "tag" else label_separator, inputs=entries, calls=calls.kinds,
                call_deadline_milliseconds=round(call_deadline * 1000) if calls.kinds else 0,
                kind=head_kind(head, hidden, dropout, lambda: self._widths(encoder, tap, entries, rows), inputs),
                hyperparameters=work_pb2.Hyperparameters(
                    class_weights=class_weights, **{key: value for key, value in settings.items() if value is not None}
                ),
            )  # fmt: skip
        if calls.kinds:
            self._require("calls", "functions of the client's own in a training")
        if hasattr(head, "forward"):
            self._check_module(request.kind.graph)
        link = self._session.link()
        sent: List[str] = []
        try:
            request.data = self._upload(link, rows, deadline, sent)
            if test_rows is not None:
                request.test_data = self._upload(link, test_rows, deadline, sent)
            with reporting(progress) as report:
                reply = self._work(
                    "train", request, "train_reply", report=report, deadline=deadline, link=link,
                    calls=calls.answering() if calls.kinds else None,
                )  # fmt: skip
        finally:
            drop(link, sent)
        problems = rows.problems + (test_rows.problems if test_rows is not None else [])
        return TrainResult.of(reply.envelope.train_reply, tuple(problems))

    def evaluate(
        self,
        head: str,
        data: Data,
        *,
        text: Union[str, Sequence[str], None] = None,
        label: str = "label",
        image: Optional[str] = None,
        label_separator: str = "",
        precision: str = "",
        progress: Wish = True,
        timeout: Optional[float] = None,
    ) -> Evaluation:
        """Measures a head on labelled rows, given as to ``train``. ``text``: by default the columns of a head that reads
        several, else ``"text"``. ``label_separator`` empty: the head's own. ``precision``: as of ``embed``.
        """
        deadline = self._deadline(timeout)
        record = self._head(head)
        separator = " " if record.task == "tag" else label_separator or "|"
        if record.modality == "image":
            rows = image_rows(data, image, label, separator)
        else:
            rows = text_rows(data, text or record.reads, label, separator)
        request = work_pb2.EvaluateRequest(
            head=head, input_column=rows.inputs[0], label_column=rows.label, label_separator=label_separator,
            name_column=rows.name, precision=precision, input_columns=rows.inputs if len(rows.inputs) > 1 else (),
        )  # fmt: skip
        link = self._session.link()
        sent: List[str] = []
        try:
            request.data = self._upload(link, rows, deadline, sent)
            with reporting(progress) as report:
                reply = self._work("evaluate", request, "evaluate_reply", report=report, deadline=deadline, link=link)
        finally:
            drop(link, sent)
        return Evaluation.of(reply.envelope.evaluate_reply, tuple(rows.problems))

    def _reader(
        self, encoder: str, text: Union[str, Sequence[str]], image: Optional[str], label: str, inputs: Inputs
    ) -> Callable[..., LabelledRows]:
        """Reads the columns that inputs name from ``data``, each once."""
        if self._encoder(encoder).modality == "image":
            return partial(image_rows, image=image, label=label)
        if inputs is not None:
            columns = [entry if isinstance(entry, str) else entry.column for entry in inputs.values()]
            text = list(dict.fromkeys(columns))
        return partial(text_rows, text=text, label=label)

    def _widths(self, encoder: str, tap: str, entries: Sequence[Any], rows: LabelledRows) -> List[int]:
        """Of the feature vectors that each input reads."""
        if not entries:
            return [self._width(encoder, tap, rows)]
        # An input's own encoder is read at its own tap, or at the top.
        return [self._width(e.encoder or encoder, e.tap or ("" if e.encoder else tap), rows) for e in entries]

    def _width(self, encoder: str, tap: str, rows: LabelledRows) -> int:
        if not tap:
            return self._encoder(encoder).width
        first = next(rows.rows(), None)
        if rows.stored:
            first = ("a",)
        if first is None:
            raise InvalidArgumentError("There are no rows to learn from.")
        return int(self.embed(encoder, [first[0]], tap=tap, progress=False).shape[1])

    def _check_module(self, model: bytes) -> None:
        """Before rows are sent, and with all the reasons at once."""
        request = graph_pb2.CheckGraphRequest(model=model, batch=1)
        report = GraphReport.of(self._work("check_graph", request, "check_graph_reply").envelope.check_graph_reply)
        if report.problems:
            reasons = "; ".join(f"{node}: {reason}" if node else reason for node, reason in report.problems)
            raise UnsupportedError(f"hidrad cannot train this module: {reasons}")


class argument_errors:
    """protobuf's own complaints about values, as ours."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: object) -> None:
        if isinstance(error, (TypeError, ValueError)) and not isinstance(error, HidraError):
            raise InvalidArgumentError(f"A setting has a wrong type or is out of range: {error}") from error

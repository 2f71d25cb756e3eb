"""The client: what a program does with a daemon."""

from __future__ import annotations

import os
import sys
import weakref
from functools import partial
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type, TypeVar, Union, overload

import numpy as np

from .calls import Calls, drop
from .errors import HidraError, InternalError, InvalidArgumentError, NotFoundError
from .events import Event, EventStream
from .heads import HeadLike, graph_bytes, head_kind
from .home import PathLike, home_path
from .progress import Wish, reporting
from .remote import RemoteEndpoint
from .results import TASKS, Encoder, Evaluation, GraphReport, Head, Prediction, Run, Status, TrainResult
from .rows import LabelledRows, image_rows, text_rows
from .session import Session
from .tables import Data
from .v1 import control_pb2, events_pb2, graph_pb2, registry_pb2, work_pb2

Self = TypeVar("Self", bound="Client")


class Client(Calls):
    """A connection to ``hidrad``, for any number of threads and requests at a time.

        with hidra.Client() as client:
            client.predict("intent", ["my card has not arrived"])

    Finds the daemon of ``home`` (by default ``$HIDRA_HOME``, else ``~/.local/share/hidra``) and starts it when none runs
    and ``start`` is true. Ctrl-C during a request cancels it at the daemon. When the daemon goes away, requests under way
    raise ``UnavailableError``; the next one connects anew. All failures are ``HidraError``\\ s.

    ``timeout``: seconds a request may take in all; None: as long as the daemon shows signs of life. Every method that
    works long takes its own. ``silence``: how long the daemon may owe a sign of life. ``endpoint``: the directory of the
    sockets of a daemon that runs already, instead of a home. ``name``: of this program, for ``hidra ps``.

    ``key``: of a daemon on another machine, the file that ``hidra keys new -o`` writes; ``server``: its ``tcp://HOST:PORT``, where
    the key does not say so. Without ``home`` and ``endpoint`` they default to ``HIDRA_KEY`` and ``HIDRA_SERVER``.
    """

    def __init__(
        self,
        home: Optional[PathLike] = None,
        endpoint: Optional[PathLike] = None,
        timeout: Optional[float] = None,
        *,
        start: bool = True,
        name: Optional[str] = None,
        connect_timeout: float = 10.0,
        silence: float = 30.0,
        server: Optional[str] = None,
        key: Optional[PathLike] = None,
    ) -> None:
        if home is not None and endpoint is not None:
            raise InvalidArgumentError("Give a home or an endpoint, not both.")
        directory = os.fspath(endpoint) if endpoint is not None else None
        if directory is not None and directory.startswith("ipc://"):
            directory = directory[6:]
        if (server or key) and (home is not None or endpoint is not None):
            raise InvalidArgumentError("Give a key and a server, or a home or an endpoint, not both.")
        if home is None and directory is None:
            directory = RemoteEndpoint.named(server, key)
        self.home: Optional[str] = home_path(home) if directory is None else None
        self._place = self.home or directory
        self._options: Dict[str, Any] = dict(
            home=self.home, endpoint=None if isinstance(directory, RemoteEndpoint) else directory, timeout=timeout, start=start, name=name,
            connect_timeout=connect_timeout, silence=silence, server=server, key=key,
        )  # fmt: skip
        from . import __version__

        program = name or f"{os.path.basename(sys.argv[0] or 'python')} (hidra-python {__version__})"
        super().__init__(Session(self.home, directory, program, start, connect_timeout, silence), timeout)
        # Says goodbye when the client is forgotten, and when the program ends.
        self._finalizer = weakref.finalize(self, Session.close, self._session)
        self._session.link()

    def close(self) -> None:
        """Says goodbye. Requests still open, in other threads, fail with ``CancelledError``."""
        self._finalizer()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __reduce__(self) -> Tuple[Any, ...]:
        return partial(Client, **self._options), ()

    def __repr__(self) -> str:
        return f"hidra.Client({self._place!r})"

    # Control

    def status(self) -> Status:
        """What the daemon holds in memory and does; ``jobs`` are the requests that take long."""
        return Status.of(self._control("status", control_pb2.StatusRequest(), "status_reply").status_reply)

    def cancel(self, job: str) -> bool:
        """Cancels a job by its id, whoever started it. False when it had already finished."""
        return bool(self._control("cancel", control_pb2.CancelRequest(job=job), "cancel_reply").cancel_reply.cancelled)

    def shutdown(self, grace: float = 10.0) -> int:
        """Stops the daemon, and returns how many requests it finishes: those may take ``grace`` seconds. The next
        request starts it again."""
        request = control_pb2.ShutdownRequest(grace_seconds=grace)
        return int(self._control("shutdown", request, "shutdown_reply").shutdown_reply.jobs_finishing)

    @overload
    def events(self, start: Optional[int] = None) -> EventStream: ...
    @overload
    def events(self, start: Optional[int] = None, *, follow: bool) -> Iterable[Event]: ...
    def events(self, start: Optional[int] = None, *, follow: bool = True) -> Iterable[Event]:
        """What happens in the daemon, in order and without gaps: what the events socket drops is asked for again.

        ``start``: first sequence number wanted, 0 for all the daemon still has; None: only what happens from now on.
        Without ``follow``, a list of what has happened so far (all of it, without ``start``).
        """
        if follow:
            return self._session.link().connection.events(start, owner=self)
        replay = events_pb2.ReplayRequest(from_sequence=start or 0)
        reply = self._control("replay", replay, "replay_reply").replay_reply
        return [Event.of(event) for event in reply.events]

    # Registry

    def encoders(self) -> List[Encoder]:
        """All encoders, by name."""
        return [Encoder.of(encoder) for encoder in self._list().encoders]

    def heads(self) -> List[Head]:
        """All heads, by name."""
        return [Head.of(head) for head in self._list().heads]

    def runs(self) -> List[Run]:
        """The latest 50 trainings, latest first."""
        return [Run.of(run) for run in self._list().runs]

    def show(self, name: str) -> Union[Encoder, Head, Run]:
        """The encoder, head or run of that name; a run comes with its history."""
        return self._record(name)

    def remove(self, name: str, *, with_heads: bool = False) -> List[str]:
        """Deletes a head, or an encoder; an encoder with heads only together with them. Returns what is gone."""
        request = registry_pb2.RemoveRequest(name=name, with_heads=with_heads)
        return list(self._work("remove", request, "remove_reply").envelope.remove_reply.removed)

    def pull(
        self, source: PathLike, name: Optional[str] = None, *, token: Optional[str] = None, progress: Wish = True,
        timeout: Optional[float] = None,
    ) -> Encoder:  # fmt: skip
        """Fetches, verifies and registers an encoder: ``"minilm"``, ``"hf:ORG/NAME[@REVISION]"``, or a folder."""
        request = work_pb2.PullRequest(source=_source(source), name=name or "", token=token or "")
        with reporting(progress) as report:
            reply = self._work("pull", request, "pull_reply", report=report, timeout=timeout)
        return Encoder.of(reply.envelope.pull_reply.encoder)

    def export(self, head: str) -> bytes:
        """A trained head as an ONNX model: features ``[rows, width]`` in, outputs before any softmax out."""
        return self._work("export", work_pb2.ExportRequest(head=head), "export_reply").envelope.export_reply.model

    # Inference

    def embed(
        self, encoder: str, inputs: Any, *, tap: str = "", precision: str = "", progress: Wish = True,
        timeout: Optional[float] = None,
    ) -> np.ndarray[Any, np.dtype[np.float32]]:  # fmt: skip
        """Vectors of texts or images, float32 ``[inputs, width]``, to the bit those of ``hidra embed``.

        ``inputs``: a text or several; for an image encoder paths, bytes or PIL images. Rows of images that cannot be read
        are NaN. ``tap``: name of another layer to read (``Encoder.taps``). ``precision``: what the encoder computes in,
        ``"fp32"`` or ``"int8"``; empty: as ``hidra quantize`` has set it.
        """
        values = _values(inputs)
        if not values:
            return np.zeros((0, self._encoder(encoder).width), np.float32)
        parts: List[np.ndarray[Any, np.dtype[np.float32]]] = []
        is_image = self._reads_images(values, encoder)

        def send(part: Sequence[Any], deadline: Optional[float]) -> None:
            request = work_pb2.EmbedRequest(encoder=encoder, tap=tap, precision=precision)
            (request.images if is_image else request.texts).extend(part)
            reply = self._work("embed", request, "embed_reply", deadline=deadline)
            array = reply.arrays().get("embeddings")
            if array is None or array.dtype != np.float32 or array.ndim != 2 or len(array) != len(part):
                raise InternalError("hidrad sent vectors of another shape than it was asked for.")
            parts.append(array)

        self._in_parts(values, is_image, "embedding", send, progress, timeout)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @overload
    def predict(
        self, heads: str, inputs: Any, *, top: int = 0, precision: str = "", progress: Wish = True,
        timeout: Optional[float] = None,
    ) -> List[Prediction]: ...  # fmt: skip
    @overload
    def predict(
        self, heads: Sequence[str], inputs: Any, *, top: int = 0, precision: str = "", progress: Wish = True,
        timeout: Optional[float] = None,
    ) -> List[Dict[str, Prediction]]: ...  # fmt: skip
    def predict(
        self, heads: Union[str, Sequence[str]], inputs: Any, *, top: int = 0, precision: str = "", progress: Wish = True,
        timeout: Optional[float] = None,
    ) -> Union[List[Prediction], List[Dict[str, Prediction]]]:  # fmt: skip
        """What heads say about texts (or images), in their order; heads on one encoder share its pass.

        With one head, a prediction for each input; with a list of heads, a dict by head for each. ``top``: labels for each
        input, best first; 0: the best one, of a multilabel head all that apply. ``precision``: as of ``embed``.
        """
        names = [heads] if isinstance(heads, str) else list(heads)
        if not names:
            raise InvalidArgumentError("Name at least one head.")
        if top < 0:
            raise InvalidArgumentError(f"{top} labels cannot be asked for: use 0 or more.")
        values = _values(inputs)
        is_image = self._reads_images(values, names[0])
        answers: List[work_pb2.Prediction] = []

        def send(part: Sequence[Any], deadline: Optional[float]) -> None:
            request = work_pb2.PredictRequest(heads=names, top=top, precision=precision)
            (request.images if is_image else request.texts).extend(part)
            reply = self._work("predict", request, "predict_reply", deadline=deadline).envelope.predict_reply
            if len(reply.inputs) != len(part) or any(
                not answer.problem and len(answer.heads) != len(names) for answer in reply.inputs
            ):
                raise InternalError("hidrad answered other inputs or heads than it was asked about.")
            answers.extend(reply.inputs)

        self._in_parts(values, is_image, "predicting", send, progress, timeout)
        if isinstance(heads, str):
            return [Prediction.of(answer, 0) for answer in answers]
        return [{name: Prediction.of(answer, i) for i, name in enumerate(names)} for answer in answers]

    # Jobs

    def train(
        self,
        data: Data,
        *,
        encoder: str,
        name: str,
        text: str = "text",
        label: str = "label",
        image: Optional[str] = None,
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
        progress: Wish = True,
        timeout: Optional[float] = None,
    ) -> TrainResult:
        """Trains a head on labelled rows. The same rows and seed give the same bytes as ``hidra train``.

        ``data``: the path of a table (.csv, .tsv, .jsonl), a dict of columns, a list of dicts, a pandas or polars frame, an
        Arrow table or a ``datasets.Dataset``; for an image encoder also a folder with a sub-folder for each label, or a tar
        archive of one. ``text`` and ``label`` name its columns, ``image`` the one of images or their paths. ``test``: rows
        to measure on, of the same form; or ``holdout``, a share of the rows.

        ``task``: ``"classify"``, ``"multilabel"`` (labels as a list, or separated by ``label_separator``) or ``"regress"``.
        ``head``: ``"linear"``, ``"mlp"`` (with ``hidden`` and ``dropout``), an ONNX model (bytes or a path), or a
        ``torch.nn.Module``. ``precision``: as of ``embed``. None of the settings means the daemon's default, which ``proto/README.md`` lists.
        """
        if task not in TASKS:
            raise InvalidArgumentError(f"task is one of {', '.join(TASKS)}; it was {task!r}.")
        if test is not None and holdout:
            raise InvalidArgumentError("test= brings its own test rows; holdout= takes them from the data. Give one.")
        deadline = self._deadline(timeout)
        is_image = self._encoder(encoder).modality == "image"
        read = partial(image_rows, image=image) if is_image else partial(text_rows, text=text)
        rows = read(data, label=label, separator=label_separator)
        test_rows = read(test, label=label, separator=label_separator) if test is not None else None
        settings: Dict[str, Any] = dict(
            epochs=epochs, learning_rate=lr, batch_size=batch_size, seed=seed, weight_decay=weight_decay,
            warmup=warmup, patience=patience, validation=validation, label_smoothing=label_smoothing,
        )  # fmt: skip
        with _argument_errors():
            request = work_pb2.TrainRequest(
                head=name, encoder=encoder, task=TASKS[task], input_column=rows.input, label_column=rows.label,
                name_column=rows.name, holdout=holdout, tap=tap, precision=precision, replace=replace, label_separator=label_separator,
                kind=head_kind(head, hidden, dropout, lambda: self._width(encoder, tap, rows)),
                hyperparameters=work_pb2.Hyperparameters(
                    class_weights=class_weights, **{key: value for key, value in settings.items() if value is not None}
                ),
            )  # fmt: skip
        link = self._session.link()
        sent: List[str] = []
        try:
            request.data = self._upload(link, rows, deadline, sent)
            if test_rows is not None:
                request.test_data = self._upload(link, test_rows, deadline, sent)
            with reporting(progress) as report:
                reply = self._work("train", request, "train_reply", report=report, deadline=deadline, link=link)
        finally:
            drop(link, sent)
        problems = rows.problems + (test_rows.problems if test_rows is not None else [])
        return TrainResult.of(reply.envelope.train_reply, tuple(problems))

    def evaluate(
        self,
        head: str,
        data: Data,
        *,
        text: str = "text",
        label: str = "label",
        image: Optional[str] = None,
        label_separator: str = "",
        precision: str = "",
        progress: Wish = True,
        timeout: Optional[float] = None,
    ) -> Evaluation:
        """Measures a head on labelled rows, given as to ``train``. ``label_separator`` empty: the head's own.
        ``precision``: as of ``embed``.
        """
        deadline = self._deadline(timeout)
        record = self.show(head)
        if not isinstance(record, Head):
            raise NotFoundError(f"'{head}' is no head.")
        separator = label_separator or "|"
        if record.modality == "image":
            rows = image_rows(data, image, label, separator)
        else:
            rows = text_rows(data, text, label, separator)
        request = work_pb2.EvaluateRequest(
            head=head, input_column=rows.input, label_column=rows.label, label_separator=label_separator,
            name_column=rows.name, precision=precision,
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

    # Graphs

    def check_graph(self, model: HeadLike, *, batch: int = 1) -> GraphReport:
        """What the daemon would make of an ONNX model (bytes or a path), and why it would be refused."""
        request = graph_pb2.CheckGraphRequest(model=graph_bytes(model), batch=batch)
        return GraphReport.of(self._work("check_graph", request, "check_graph_reply").envelope.check_graph_reply)

    def run_graph(
        self, model: HeadLike, inputs: Mapping[str, Any], *, timeout: Optional[float] = None
    ) -> Dict[str, np.ndarray[Any, np.dtype[Any]]]:
        """Runs an ONNX model once: arrays in, arrays out, by the names they have in the graph."""
        request = graph_pb2.RunGraphRequest(model=graph_bytes(model))
        tensors = {name: np.asarray(value) for name, value in inputs.items()}
        return dict(self._work("run_graph", request, "run_graph_reply", tensors=tensors, timeout=timeout).arrays())

    def _width(self, encoder: str, tap: str, rows: LabelledRows) -> int:
        if not tap:
            return self._encoder(encoder).width
        first = next(rows.rows(), None)
        if first is None:
            raise InvalidArgumentError("There are no rows to learn from.")
        return int(self.embed(encoder, [first[0]], tap=tap, progress=False).shape[1])


class _argument_errors:
    """protobuf's own complaints about values, as ours."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: object) -> None:
        if isinstance(error, (TypeError, ValueError)) and not isinstance(error, HidraError):
            raise InvalidArgumentError(f"A setting has a wrong type or is out of range: {error}") from error


def _values(inputs: Any) -> List[Any]:
    is_one = isinstance(inputs, (str, bytes, os.PathLike)) or hasattr(inputs, "save")
    return [inputs] if is_one else list(inputs)


def _source(source: PathLike) -> str:
    """Paths from the root: the daemon has a working directory of its own."""
    text = os.fspath(source)
    is_folder = not isinstance(source, str) or text.startswith(("/", "./", "../", "~")) or text in (".", "..")
    if not is_folder and not text.startswith("hf:"):
        is_folder = "/" in text and os.path.isdir(text)
    return os.path.abspath(os.path.expanduser(text)) if is_folder else text

"""What the daemon answers, as plain values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from .v1 import control_pb2, graph_pb2, registry_pb2, work_pb2

TASKS = {
    "classify": work_pb2.CLASSIFY, "multilabel": work_pb2.MULTILABEL, "regress": work_pb2.REGRESS, "tag": work_pb2.TAG,
}  # fmt: skip
_TASK_NAMES = {number: name for name, number in TASKS.items()}


@dataclass(frozen=True)
class Encoder:
    """A frozen pretrained network. ``modality`` says what it reads, ``"text"`` or ``"image"``."""

    name: str
    architecture: str
    modality: str
    width: int
    layers: int
    parameters: int
    bytes: int
    max_tokens: int
    pooling: str
    taps: Tuple[str, ...] = field(repr=False)
    source: str = field(repr=False)
    revision: str = field(repr=False)
    licence: str
    digest: str = field(repr=False)
    created: float = field(repr=False)

    @classmethod
    def of(cls, m: registry_pb2.Encoder) -> Encoder:
        return cls(
            m.name, m.architecture, m.modality, m.width, m.layers, m.parameters, m.bytes, m.max_tokens, m.pooling,
            tuple(m.taps), m.source, m.revision, m.licence, m.digest, m.created,
        )  # fmt: skip


@dataclass(frozen=True)
class HeadInput:
    """What a head reads through one input of its network: a column of the data, through an encoder, at one of its taps."""

    column: str
    encoder: str = ""
    tap: str = ""
    name: str = ""


@dataclass(frozen=True)
class Head:
    """A trained head. ``digest`` is that of its weights: the same rows and seed give the same.

    ``served_by``: the client that must be there when the head is asked, of a head with functions of a client's own.
    """

    name: str
    encoder: str
    tap: str
    task: str
    kind: str
    modality: str
    labels: Tuple[str, ...]
    parameters: int
    metrics: Dict[str, float]
    digest: str
    run: str
    created: float = field(repr=False)
    inputs: Tuple[HeadInput, ...] = field(default=(), repr=False)
    served_by: str = ""

    @property
    def columns(self) -> Tuple[str, ...]:
        """The columns it reads, each once: a prediction needs a value of each, in this order."""
        return tuple(dict.fromkeys(input.column for input in self.inputs))

    @property
    def reads(self) -> Tuple[str, ...]:
        """What is read of a table that does not say: those columns, or of a head that reads one, ``"text"``."""
        return self.columns if len(self.columns) > 1 else ("text",)

    @classmethod
    def of(cls, m: registry_pb2.Head) -> Head:
        return cls(
            m.name, m.encoder, m.tap, m.task, m.kind, m.modality, tuple(m.labels), m.parameters, dict(m.metrics),
            m.digest, m.run, m.created, tuple(HeadInput(i.column, i.encoder, i.tap, i.name) for i in m.inputs),
            m.served_by,
        )  # fmt: skip


@dataclass(frozen=True)
class MetricPoint:
    """A metric of a run at one step."""

    step: int
    name: str
    value: float


@dataclass(frozen=True)
class Run:
    """One training. ``state``: running, finished, failed, cancelled or interrupted; ``ended`` is None while it runs.

    ``history`` is filled by ``Client.show``.
    """

    id: str
    head: str
    encoder: str
    state: str
    started: float = field(repr=False)
    ended: Optional[float] = field(repr=False)
    metrics: Dict[str, float]
    message: str
    seconds: Dict[str, float] = field(repr=False)
    configuration: Dict[str, Any] = field(repr=False)
    history: Tuple[MetricPoint, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, m: registry_pb2.Run, history: Any = ()) -> Run:
        return cls(
            m.id, m.head, m.encoder, m.state, m.started, m.ended or None, dict(m.metrics), m.message, dict(m.seconds),
            json.loads(m.configuration) if m.configuration else {},
            tuple(MetricPoint(point.step, point.name, point.value) for point in history),
        )  # fmt: skip


@dataclass(frozen=True)
class Score:
    """A label and its probability."""

    label: str
    score: float


@dataclass(frozen=True)
class Span:
    """A piece of a text, ``text[start:end]``, and the label it got with this probability."""

    label: str
    start: int
    end: int
    score: float


@dataclass(frozen=True)
class Prediction:
    """What one head says about one input.

    ``labels``: best first; of a multilabel head all that apply, which may be none. ``value``: of a regression head.
    ``spans``: of a tagging head, in the text's order. ``problem``: why the input could not be read, else empty.
    """

    labels: Tuple[Score, ...] = ()
    value: Optional[float] = None
    tokens: int = 0
    truncated: bool = False
    problem: str = ""
    spans: Tuple[Span, ...] = ()

    @property
    def label(self) -> Optional[str]:
        """The best label; None when there is none."""
        return self.labels[0].label if self.labels else None

    @property
    def score(self) -> Optional[float]:
        """The best label's probability; None when there is none."""
        return self.labels[0].score if self.labels else None

    @classmethod
    def of(cls, m: work_pb2.Prediction, position: int) -> Prediction:
        if m.problem:
            return cls(problem=m.problem)
        head = m.heads[position]
        return cls(
            tuple(Score(label.label, label.score) for label in head.labels),
            head.value if head.HasField("value") else None, m.tokens, m.truncated,
            spans=tuple(Span(span.label, span.start, span.end, span.score) for span in head.spans),
        )  # fmt: skip


@dataclass(frozen=True)
class DataSet:
    """Rows that the daemon holds for this connection, as ``Client.open_data`` has made them: ``train`` and ``evaluate`` take
    them instead of rows. Gone with the connection; open the upload again then."""

    name: str
    rows: int
    bytes: int
    columns: Tuple[str, ...]


@dataclass(frozen=True)
class ClassReport:
    """How one class did."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Confusion:
    """How often one class was taken for another."""

    actual: str
    predicted: str
    count: int


@dataclass(frozen=True)
class Evaluation:
    """How a head did on labelled rows. ``metrics``: accuracy and macro_f1; of regression mae, rmse and r2; of words span_f1."""

    head: str
    task: str
    rows: int
    metrics: Dict[str, float]
    classes: Tuple[ClassReport, ...] = field(repr=False)
    confusions: Tuple[Confusion, ...] = field(repr=False)
    truncated_rows: int
    notes: Tuple[str, ...]
    seconds: float

    @classmethod
    def of(cls, m: work_pb2.EvaluateReply, problems: Tuple[str, ...] = ()) -> Evaluation:
        return cls(
            m.head, _TASK_NAMES.get(m.task, "classify"), m.rows, dict(m.metrics),
            tuple(ClassReport(c.label, c.precision, c.recall, c.f1, c.support) for c in m.classes),
            tuple(Confusion(c.actual, c.predicted, c.count) for c in m.confusions), m.truncated_rows,
            problems + tuple(m.notes), m.seconds,
        )  # fmt: skip


@dataclass(frozen=True)
class TrainResult:
    """A training that has finished.

    ``metrics`` are those of the test rows (empty without any), ``evaluation`` says more; ``timings`` are seconds by phase;
    ``notes`` are what you should know: labels seen once, images that could not be read, …
    """

    head: Head
    run: Run
    metrics: Dict[str, float]
    evaluation: Optional[Evaluation] = field(repr=False)
    timings: Dict[str, float]
    notes: Tuple[str, ...]
    train_rows: int
    validation_rows: int
    test_rows: int
    cache_hits: int
    cache_misses: int
    truncated_rows: int
    steps: int
    learning_rate: float
    best_epoch: int
    validation_score: float
    temperature: float
    """Its outputs are divided by it before they become probabilities; 1 where too few rows validated."""

    @property
    def run_id(self) -> str:
        """Name of the run, for ``Client.show``."""
        return self.run.id

    @classmethod
    def of(cls, m: work_pb2.TrainReply, problems: Tuple[str, ...] = ()) -> TrainResult:
        s = m.summary
        test = Evaluation.of(m.test) if m.HasField("test") else None
        return cls(
            # A metrics function of the client's own adds to the head's, not to the daemon's evaluation.
            Head.of(m.head), Run.of(m.run), dict(m.head.metrics) if test else {}, test, dict(m.run.seconds),
            problems + tuple(s.notes), s.train_rows, s.validation_rows, s.test_rows, s.cache_hits, s.cache_misses,
            s.truncated_rows, s.steps, s.learning_rate, s.best_epoch, s.validation_score,
            m.calibration.temperature if m.HasField("calibration") else 1.0,
        )  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """Where a job stands: ``done`` of ``total`` (0: not known) in the phase's own unit."""

    job: str
    phase: str
    done: int
    total: int
    unit: str
    metrics: Mapping[str, float]
    note: str

    @classmethod
    def of(cls, m: registry_pb2.Progress) -> Progress:
        return cls(m.job, m.phase, m.done, m.total, m.unit, dict(m.metrics), m.note)


@dataclass(frozen=True)
class Job:
    """A request in progress that takes long. ``kind``: train, evaluate, pull or run_graph."""

    id: str
    kind: str
    subject: str
    progress: Progress
    elapsed_seconds: float
    client: str


@dataclass(frozen=True)
class LoadedEncoder:
    """An encoder in the daemon's memory."""

    name: str
    weight_bytes: int
    idle_seconds: float


@dataclass(frozen=True)
class Status:
    """What the daemon holds in memory and does."""

    daemon_version: str
    process_id: int
    uptime_seconds: float
    resident_bytes: int
    home: str
    threads: int
    kernels: str
    encoders: Tuple[LoadedEncoder, ...]
    jobs: Tuple[Job, ...]
    feature_cache_bytes: int
    feature_cache_rows: int
    clients: int
    waiting_interactive: int
    waiting_training: int

    @classmethod
    def of(cls, m: control_pb2.StatusReply) -> Status:
        return cls(
            m.daemon_version, m.process_id, m.uptime_seconds, m.resident_bytes, m.home, m.threads, m.kernels,
            tuple(LoadedEncoder(e.name, e.weight_bytes, e.idle_seconds) for e in m.encoders),
            tuple(
                Job(j.id, j.kind, j.subject, Progress.of(j.progress), j.elapsed_seconds, j.client) for j in m.jobs
            ),
            m.feature_cache_bytes, m.feature_cache_rows, m.clients, m.waiting_interactive, m.waiting_training,
        )  # fmt: skip


@dataclass(frozen=True)
class GraphReport:
    """What the daemon would make of an ONNX model. ``problems``: all for which it would be refused, as (node, reason)."""

    operators: Dict[str, int]
    inputs: Dict[str, Tuple[str, Tuple[str, ...]]]
    outputs: Dict[str, Tuple[str, Tuple[str, ...]]]
    parameters: int
    weight_bytes: int
    activation_bytes: int
    problems: Tuple[Tuple[str, str], ...]
    remarks: Tuple[Tuple[str, str], ...]

    @classmethod
    def of(cls, m: graph_pb2.CheckGraphReply) -> GraphReport:
        def values(entries: Any) -> Dict[str, Tuple[str, Tuple[str, ...]]]:
            return {entry.name: (entry.type, tuple(entry.shape)) for entry in entries}

        return cls(
            {use.name: use.count for use in m.operators}, values(m.inputs), values(m.outputs), m.parameters,
            m.weight_bytes, m.activation_bytes, tuple((p.node, p.message) for p in m.problems),
            tuple((p.node, p.message) for p in m.remarks),
        )  # fmt: skip

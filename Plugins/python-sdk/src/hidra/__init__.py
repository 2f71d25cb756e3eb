"""Hidra: train many small heads on one frozen encoder, with the daemon ``hidrad``.

    import hidra

    with hidra.Client() as client:
        client.pull("minilm")
        client.train("tickets.csv", text="message", label="intent", encoder="minilm", name="intent", holdout=0.2)
        client.predict("intent", ["my card has not arrived"])

``hidra.plugin`` is for programs that do a part of the daemon's work: a loss, metrics, preprocessing, post-processing of their
own. ``hidra.sklearn`` has estimators for scikit-learn, ``hidra.graphs`` and ``hidra.torch`` make networks, ``hidra.v1`` are the
protocol's messages.
"""

from .attachment import Attachment, StepResult
from .callbacks import CallContext
from .client import Client
from .errors import (
    AlreadyExistsError,
    CancelledError,
    ConflictError,
    CorruptError,
    DiskFullError,
    HidraError,
    HidraTimeoutError,
    IncompatibleVersionError,
    InternalError,
    InterruptedByShutdownError,
    InvalidArgumentError,
    InvalidDataError,
    LimitExceededError,
    NotFoundError,
    PermissionDeniedError,
    UnavailableError,
    UnsupportedError,
)
from .events import Event, EventStream
from .keys import Key, NewKey, Quota
from .latent import Direction, LatentResult, PretrainResult
from .plugins import InstalledPlugin
from .results import (
    ClassReport,
    Confusion,
    DataSet,
    Encoder,
    Evaluation,
    GraphReport,
    Head,
    HeadInput,
    Job,
    LoadedEncoder,
    MetricPoint,
    Prediction,
    Progress,
    Run,
    Score,
    Span,
    Status,
    TrainResult,
)

__version__ = "0.1.0"

__all__ = [
    "AlreadyExistsError", "Attachment", "CallContext", "CancelledError", "ClassReport", "Client", "ConflictError",
    "Confusion", "CorruptError", "DataSet", "Direction", "DiskFullError", "Encoder", "Evaluation", "Event", "EventStream", "GraphReport",
    "Head", "HeadInput", "HidraError", "HidraTimeoutError", "IncompatibleVersionError", "InternalError",
    "InterruptedByShutdownError", "InvalidArgumentError", "InstalledPlugin", "InvalidDataError", "Job", "Key",
    "LatentResult", "LimitExceededError",
    "LoadedEncoder", "MetricPoint", "NewKey", "NotFoundError", "PermissionDeniedError", "Prediction", "PretrainResult",
    "Progress", "Quota", "Run", "Score",
    "Span", "Status", "StepResult", "TrainResult", "UnavailableError", "UnsupportedError",
]  # fmt: skip

"""Hidra: train many small heads on one frozen encoder, with the daemon ``hidrad``.

    import hidra

    with hidra.Client() as client:
        client.pull("minilm")
        client.train("tickets.csv", text="message", label="intent", encoder="minilm", name="intent", holdout=0.2)
        client.predict("intent", ["my card has not arrived"])

``hidra.sklearn`` has estimators for scikit-learn. ``hidra.v1`` are the protocol's messages.
"""

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
from .results import (
    ClassReport,
    Confusion,
    Encoder,
    Evaluation,
    GraphReport,
    Head,
    Job,
    LoadedEncoder,
    MetricPoint,
    Prediction,
    Progress,
    Run,
    Score,
    Status,
    TrainResult,
)

__version__ = "0.1.0"

__all__ = [
    "AlreadyExistsError", "CancelledError", "ClassReport", "Client", "ConflictError", "Confusion", "CorruptError",
    "DiskFullError", "Encoder", "Evaluation", "Event", "EventStream", "GraphReport", "Head", "HidraError",
    "HidraTimeoutError", "IncompatibleVersionError", "InternalError", "InterruptedByShutdownError",
    "InvalidArgumentError", "InvalidDataError", "Job", "LimitExceededError", "LoadedEncoder", "MetricPoint",
    "NotFoundError", "PermissionDeniedError", "Prediction", "Progress", "Run", "Score", "Status", "TrainResult",
    "UnavailableError", "UnsupportedError",
]  # fmt: skip

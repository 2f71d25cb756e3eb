from hidra.v1 import work_pb2 as _work_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ControlSessionReply(_message.Message):
    __slots__ = ["bytes_freed", "session"]
    BYTES_FREED_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    bytes_freed: int
    session: Session
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ..., bytes_freed: _Optional[int] = ...) -> None: ...

class ControlSessionRequest(_message.Message):
    __slots__ = ["action", "files", "name"]
    class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = []
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ACTION_UNSPECIFIED: ControlSessionRequest.Action
    CANCEL: ControlSessionRequest.Action
    FILES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PAUSE: ControlSessionRequest.Action
    REMOVE: ControlSessionRequest.Action
    RESUME: ControlSessionRequest.Action
    action: ControlSessionRequest.Action
    files: _containers.RepeatedCompositeFieldContainer[SessionFile]
    name: str
    def __init__(self, name: _Optional[str] = ..., action: _Optional[_Union[ControlSessionRequest.Action, str]] = ..., files: _Optional[_Iterable[_Union[SessionFile, _Mapping]]] = ...) -> None: ...

class ListSessionsReply(_message.Message):
    __slots__ = ["sessions"]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[Session]
    def __init__(self, sessions: _Optional[_Iterable[_Union[Session, _Mapping]]] = ...) -> None: ...

class ListSessionsRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Session(_message.Message):
    __slots__ = ["adapted_encoder", "checkpoint_digest", "checkpoint_step", "core_seconds", "created", "data", "document", "encoders", "ended", "heads", "history", "id", "message", "name", "phase", "seconds", "seed", "state", "step", "total_steps", "updated", "versions"]
    class VersionsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ADAPTED_ENCODER_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_STEP_FIELD_NUMBER: _ClassVar[int]
    CORE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    ENCODERS_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TOTAL_STEPS_FIELD_NUMBER: _ClassVar[int]
    UPDATED_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    adapted_encoder: str
    checkpoint_digest: str
    checkpoint_step: int
    core_seconds: float
    created: float
    data: _containers.RepeatedCompositeFieldContainer[SessionData]
    document: str
    encoders: _containers.RepeatedCompositeFieldContainer[SessionEncoder]
    ended: float
    heads: _containers.RepeatedCompositeFieldContainer[SessionHead]
    history: _containers.RepeatedCompositeFieldContainer[SessionEvent]
    id: str
    message: str
    name: str
    phase: str
    seconds: float
    seed: int
    state: str
    step: int
    total_steps: int
    updated: float
    versions: _containers.ScalarMap[str, str]
    def __init__(self, name: _Optional[str] = ..., id: _Optional[str] = ..., state: _Optional[str] = ..., phase: _Optional[str] = ..., message: _Optional[str] = ..., document: _Optional[str] = ..., created: _Optional[float] = ..., updated: _Optional[float] = ..., ended: _Optional[float] = ..., step: _Optional[int] = ..., total_steps: _Optional[int] = ..., seconds: _Optional[float] = ..., core_seconds: _Optional[float] = ..., heads: _Optional[_Iterable[_Union[SessionHead, _Mapping]]] = ..., data: _Optional[_Iterable[_Union[SessionData, _Mapping]]] = ..., encoders: _Optional[_Iterable[_Union[SessionEncoder, _Mapping]]] = ..., adapted_encoder: _Optional[str] = ..., checkpoint_step: _Optional[int] = ..., checkpoint_digest: _Optional[str] = ..., versions: _Optional[_Mapping[str, str]] = ..., history: _Optional[_Iterable[_Union[SessionEvent, _Mapping]]] = ..., seed: _Optional[int] = ...) -> None: ...

class SessionData(_message.Message):
    __slots__ = ["copy_sha256", "file_sha256", "origin", "path", "rows"]
    COPY_SHA256_FIELD_NUMBER: _ClassVar[int]
    FILE_SHA256_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    copy_sha256: str
    file_sha256: str
    origin: str
    path: str
    rows: int
    def __init__(self, path: _Optional[str] = ..., origin: _Optional[str] = ..., file_sha256: _Optional[str] = ..., copy_sha256: _Optional[str] = ..., rows: _Optional[int] = ...) -> None: ...

class SessionEncoder(_message.Message):
    __slots__ = ["digest", "name"]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    digest: str
    name: str
    def __init__(self, name: _Optional[str] = ..., digest: _Optional[str] = ...) -> None: ...

class SessionEpoch(_message.Message):
    __slots__ = ["epoch", "loss", "step", "validation_score"]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_SCORE_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    loss: float
    step: int
    validation_score: float
    def __init__(self, epoch: _Optional[int] = ..., step: _Optional[int] = ..., loss: _Optional[float] = ..., validation_score: _Optional[float] = ...) -> None: ...

class SessionEstimate(_message.Message):
    __slots__ = ["available_bytes", "needed_bytes"]
    AVAILABLE_BYTES_FIELD_NUMBER: _ClassVar[int]
    NEEDED_BYTES_FIELD_NUMBER: _ClassVar[int]
    available_bytes: int
    needed_bytes: int
    def __init__(self, needed_bytes: _Optional[int] = ..., available_bytes: _Optional[int] = ...) -> None: ...

class SessionEvent(_message.Message):
    __slots__ = ["message", "name", "time"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    message: str
    name: str
    time: float
    def __init__(self, time: _Optional[float] = ..., name: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class SessionFile(_message.Message):
    __slots__ = ["data", "graph", "origin", "path", "sha256"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    GRAPH_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    data: str
    graph: bytes
    origin: str
    path: str
    sha256: str
    def __init__(self, path: _Optional[str] = ..., data: _Optional[str] = ..., sha256: _Optional[str] = ..., origin: _Optional[str] = ..., graph: _Optional[bytes] = ...) -> None: ...

class SessionHead(_message.Message):
    __slots__ = ["best_epoch", "digest", "epochs", "loss", "metrics", "name", "plugin", "run", "task"]
    class MetricsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    BEST_EPOCH_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    best_epoch: int
    digest: str
    epochs: _containers.RepeatedCompositeFieldContainer[SessionEpoch]
    loss: float
    metrics: _containers.ScalarMap[str, float]
    name: str
    plugin: str
    run: str
    task: _work_pb2.Task
    def __init__(self, name: _Optional[str] = ..., task: _Optional[_Union[_work_pb2.Task, str]] = ..., run: _Optional[str] = ..., digest: _Optional[str] = ..., metrics: _Optional[_Mapping[str, float]] = ..., epochs: _Optional[_Iterable[_Union[SessionEpoch, _Mapping]]] = ..., best_epoch: _Optional[int] = ..., plugin: _Optional[str] = ..., loss: _Optional[float] = ...) -> None: ...

class SessionProgress(_message.Message):
    __slots__ = ["cache_hits", "cache_misses", "done", "note", "rows_per_second", "seconds_left", "session", "steps_per_second", "total", "unit"]
    CACHE_HITS_FIELD_NUMBER: _ClassVar[int]
    CACHE_MISSES_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    ROWS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    SECONDS_LEFT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    cache_hits: int
    cache_misses: int
    done: int
    note: str
    rows_per_second: float
    seconds_left: float
    session: Session
    steps_per_second: float
    total: int
    unit: str
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., unit: _Optional[str] = ..., steps_per_second: _Optional[float] = ..., rows_per_second: _Optional[float] = ..., cache_hits: _Optional[int] = ..., cache_misses: _Optional[int] = ..., seconds_left: _Optional[float] = ..., note: _Optional[str] = ...) -> None: ...

class ShowSessionReply(_message.Message):
    __slots__ = ["session"]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: Session
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class ShowSessionRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class StartSessionReply(_message.Message):
    __slots__ = ["estimate", "notes", "session"]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    estimate: SessionEstimate
    notes: _containers.RepeatedScalarFieldContainer[str]
    session: Session
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ..., estimate: _Optional[_Union[SessionEstimate, _Mapping]] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class StartSessionRequest(_message.Message):
    __slots__ = ["check_only", "document", "files"]
    CHECK_ONLY_FIELD_NUMBER: _ClassVar[int]
    DOCUMENT_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    check_only: bool
    document: str
    files: _containers.RepeatedCompositeFieldContainer[SessionFile]
    def __init__(self, document: _Optional[str] = ..., files: _Optional[_Iterable[_Union[SessionFile, _Mapping]]] = ..., check_only: bool = ...) -> None: ...

class WatchSessionReply(_message.Message):
    __slots__ = ["session"]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: Session
    def __init__(self, session: _Optional[_Union[Session, _Mapping]] = ...) -> None: ...

class WatchSessionRequest(_message.Message):
    __slots__ = ["interval_milliseconds", "name"]
    INTERVAL_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    interval_milliseconds: int
    name: str
    def __init__(self, name: _Optional[str] = ..., interval_milliseconds: _Optional[int] = ...) -> None: ...

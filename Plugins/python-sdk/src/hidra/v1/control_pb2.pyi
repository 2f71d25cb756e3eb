from hidra.v1 import registry_pb2 as _registry_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CancelReply(_message.Message):
    __slots__ = ["cancelled"]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    cancelled: bool
    def __init__(self, cancelled: bool = ...) -> None: ...

class CancelRequest(_message.Message):
    __slots__ = ["job", "open_request_id"]
    JOB_FIELD_NUMBER: _ClassVar[int]
    OPEN_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    job: str
    open_request_id: int
    def __init__(self, job: _Optional[str] = ..., open_request_id: _Optional[int] = ...) -> None: ...

class Goodbye(_message.Message):
    __slots__ = ["reason"]
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Hello(_message.Message):
    __slots__ = ["capabilities", "client", "heartbeat_seconds", "plugin_token", "protocol_max", "protocol_min"]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MAX_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MIN_FIELD_NUMBER: _ClassVar[int]
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    client: str
    heartbeat_seconds: int
    plugin_token: str
    protocol_max: int
    protocol_min: int
    def __init__(self, protocol_min: _Optional[int] = ..., protocol_max: _Optional[int] = ..., client: _Optional[str] = ..., heartbeat_seconds: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ..., plugin_token: _Optional[str] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ["client", "elapsed_seconds", "id", "kind", "progress", "subject"]
    CLIENT_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_SECONDS_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    client: str
    elapsed_seconds: float
    id: str
    kind: str
    progress: _registry_pb2.Progress
    subject: str
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[str] = ..., subject: _Optional[str] = ..., progress: _Optional[_Union[_registry_pb2.Progress, _Mapping]] = ..., elapsed_seconds: _Optional[float] = ..., client: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ["blob_bytes", "data_bytes", "data_rows", "message_bytes", "texts_per_request", "texts_per_stream"]
    BLOB_BYTES_FIELD_NUMBER: _ClassVar[int]
    DATA_BYTES_FIELD_NUMBER: _ClassVar[int]
    DATA_ROWS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    TEXTS_PER_REQUEST_FIELD_NUMBER: _ClassVar[int]
    TEXTS_PER_STREAM_FIELD_NUMBER: _ClassVar[int]
    blob_bytes: int
    data_bytes: int
    data_rows: int
    message_bytes: int
    texts_per_request: int
    texts_per_stream: int
    def __init__(self, message_bytes: _Optional[int] = ..., data_rows: _Optional[int] = ..., data_bytes: _Optional[int] = ..., texts_per_request: _Optional[int] = ..., blob_bytes: _Optional[int] = ..., texts_per_stream: _Optional[int] = ...) -> None: ...

class LoadedEncoder(_message.Message):
    __slots__ = ["idle_seconds", "name", "precision", "weight_bytes"]
    IDLE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BYTES_FIELD_NUMBER: _ClassVar[int]
    idle_seconds: float
    name: str
    precision: str
    weight_bytes: int
    def __init__(self, name: _Optional[str] = ..., weight_bytes: _Optional[int] = ..., idle_seconds: _Optional[float] = ..., precision: _Optional[str] = ...) -> None: ...

class ShutdownReply(_message.Message):
    __slots__ = ["jobs_finishing"]
    JOBS_FINISHING_FIELD_NUMBER: _ClassVar[int]
    jobs_finishing: int
    def __init__(self, jobs_finishing: _Optional[int] = ...) -> None: ...

class ShutdownRequest(_message.Message):
    __slots__ = ["grace_seconds"]
    GRACE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    grace_seconds: float
    def __init__(self, grace_seconds: _Optional[float] = ...) -> None: ...

class StatusReply(_message.Message):
    __slots__ = ["clients", "daemon_version", "encoders", "feature_cache_bytes", "feature_cache_rows", "home", "jobs", "kernels", "process_id", "resident_bytes", "threads", "uptime_seconds", "waiting_interactive", "waiting_training"]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    DAEMON_VERSION_FIELD_NUMBER: _ClassVar[int]
    ENCODERS_FIELD_NUMBER: _ClassVar[int]
    FEATURE_CACHE_BYTES_FIELD_NUMBER: _ClassVar[int]
    FEATURE_CACHE_ROWS_FIELD_NUMBER: _ClassVar[int]
    HOME_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    KERNELS_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    WAITING_INTERACTIVE_FIELD_NUMBER: _ClassVar[int]
    WAITING_TRAINING_FIELD_NUMBER: _ClassVar[int]
    clients: int
    daemon_version: str
    encoders: _containers.RepeatedCompositeFieldContainer[LoadedEncoder]
    feature_cache_bytes: int
    feature_cache_rows: int
    home: str
    jobs: _containers.RepeatedCompositeFieldContainer[Job]
    kernels: str
    process_id: int
    resident_bytes: int
    threads: int
    uptime_seconds: float
    waiting_interactive: int
    waiting_training: int
    def __init__(self, daemon_version: _Optional[str] = ..., process_id: _Optional[int] = ..., uptime_seconds: _Optional[float] = ..., resident_bytes: _Optional[int] = ..., home: _Optional[str] = ..., threads: _Optional[int] = ..., kernels: _Optional[str] = ..., encoders: _Optional[_Iterable[_Union[LoadedEncoder, _Mapping]]] = ..., jobs: _Optional[_Iterable[_Union[Job, _Mapping]]] = ..., feature_cache_bytes: _Optional[int] = ..., feature_cache_rows: _Optional[int] = ..., clients: _Optional[int] = ..., waiting_interactive: _Optional[int] = ..., waiting_training: _Optional[int] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Welcome(_message.Message):
    __slots__ = ["capabilities", "daemon_version", "heartbeat_seconds", "limits", "process_id", "protocol", "protocol_max", "protocol_min", "role"]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    DAEMON_VERSION_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    PROCESS_ID_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MAX_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_MIN_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    daemon_version: str
    heartbeat_seconds: int
    limits: Limits
    process_id: int
    protocol: int
    protocol_max: int
    protocol_min: int
    role: str
    def __init__(self, protocol: _Optional[int] = ..., protocol_min: _Optional[int] = ..., protocol_max: _Optional[int] = ..., daemon_version: _Optional[str] = ..., process_id: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., heartbeat_seconds: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ..., role: _Optional[str] = ...) -> None: ...

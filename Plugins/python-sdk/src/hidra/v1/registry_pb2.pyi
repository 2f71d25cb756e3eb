from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

CALL_KIND_UNSPECIFIED: CallKind
DESCRIPTOR: _descriptor.FileDescriptor
FEATURE_FORM_UNSPECIFIED: FeatureForm
LOSS: CallKind
METRICS: CallKind
POOLED: FeatureForm
POSTPROCESS: CallKind
PREPROCESS: CallKind
STATES: FeatureForm

class Encoder(_message.Message):
    __slots__ = ["architecture", "bytes", "created", "digest", "layers", "licence", "max_tokens", "modality", "name", "parameters", "pooling", "precision", "revision", "source", "taps", "width"]
    ARCHITECTURE_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    LICENCE_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    POOLING_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TAPS_FIELD_NUMBER: _ClassVar[int]
    WIDTH_FIELD_NUMBER: _ClassVar[int]
    architecture: str
    bytes: int
    created: float
    digest: str
    layers: int
    licence: str
    max_tokens: int
    modality: str
    name: str
    parameters: int
    pooling: str
    precision: str
    revision: str
    source: str
    taps: _containers.RepeatedScalarFieldContainer[str]
    width: int
    def __init__(self, name: _Optional[str] = ..., architecture: _Optional[str] = ..., parameters: _Optional[int] = ..., bytes: _Optional[int] = ..., width: _Optional[int] = ..., layers: _Optional[int] = ..., max_tokens: _Optional[int] = ..., pooling: _Optional[str] = ..., source: _Optional[str] = ..., revision: _Optional[str] = ..., licence: _Optional[str] = ..., digest: _Optional[str] = ..., created: _Optional[float] = ..., modality: _Optional[str] = ..., taps: _Optional[_Iterable[str]] = ..., precision: _Optional[str] = ...) -> None: ...

class Head(_message.Message):
    __slots__ = ["calls", "created", "digest", "encoder", "inputs", "kind", "labels", "metrics", "modality", "name", "parameters", "run", "served_by", "tap", "task"]
    class MetricsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    CALLS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    MODALITY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    SERVED_BY_FIELD_NUMBER: _ClassVar[int]
    TAP_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    calls: _containers.RepeatedScalarFieldContainer[CallKind]
    created: float
    digest: str
    encoder: str
    inputs: _containers.RepeatedCompositeFieldContainer[HeadInput]
    kind: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    metrics: _containers.ScalarMap[str, float]
    modality: str
    name: str
    parameters: int
    run: str
    served_by: str
    tap: str
    task: str
    def __init__(self, name: _Optional[str] = ..., encoder: _Optional[str] = ..., task: _Optional[str] = ..., kind: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., parameters: _Optional[int] = ..., digest: _Optional[str] = ..., created: _Optional[float] = ..., metrics: _Optional[_Mapping[str, float]] = ..., run: _Optional[str] = ..., tap: _Optional[str] = ..., modality: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[HeadInput, _Mapping]]] = ..., calls: _Optional[_Iterable[_Union[CallKind, str]]] = ..., served_by: _Optional[str] = ...) -> None: ...

class HeadInput(_message.Message):
    __slots__ = ["column", "encoder", "form", "name", "tap"]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TAP_FIELD_NUMBER: _ClassVar[int]
    column: str
    encoder: str
    form: FeatureForm
    name: str
    tap: str
    def __init__(self, name: _Optional[str] = ..., encoder: _Optional[str] = ..., tap: _Optional[str] = ..., form: _Optional[_Union[FeatureForm, str]] = ..., column: _Optional[str] = ...) -> None: ...

class ListReply(_message.Message):
    __slots__ = ["encoders", "heads", "runs"]
    ENCODERS_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    RUNS_FIELD_NUMBER: _ClassVar[int]
    encoders: _containers.RepeatedCompositeFieldContainer[Encoder]
    heads: _containers.RepeatedCompositeFieldContainer[Head]
    runs: _containers.RepeatedCompositeFieldContainer[Run]
    def __init__(self, encoders: _Optional[_Iterable[_Union[Encoder, _Mapping]]] = ..., heads: _Optional[_Iterable[_Union[Head, _Mapping]]] = ..., runs: _Optional[_Iterable[_Union[Run, _Mapping]]] = ...) -> None: ...

class ListRequest(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Machine(_message.Message):
    __slots__ = ["cores", "kernels", "memory_bytes", "processor", "system", "threads"]
    CORES_FIELD_NUMBER: _ClassVar[int]
    KERNELS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    PROCESSOR_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    THREADS_FIELD_NUMBER: _ClassVar[int]
    cores: int
    kernels: str
    memory_bytes: int
    processor: str
    system: str
    threads: int
    def __init__(self, processor: _Optional[str] = ..., cores: _Optional[int] = ..., threads: _Optional[int] = ..., kernels: _Optional[str] = ..., memory_bytes: _Optional[int] = ..., system: _Optional[str] = ...) -> None: ...

class MetricPoint(_message.Message):
    __slots__ = ["name", "step", "value"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    step: int
    value: float
    def __init__(self, step: _Optional[int] = ..., name: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ["done", "job", "metrics", "note", "phase", "total", "unit"]
    class MetricsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    DONE_FIELD_NUMBER: _ClassVar[int]
    JOB_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    done: int
    job: str
    metrics: _containers.ScalarMap[str, float]
    note: str
    phase: str
    total: int
    unit: str
    def __init__(self, job: _Optional[str] = ..., phase: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., unit: _Optional[str] = ..., metrics: _Optional[_Mapping[str, float]] = ..., note: _Optional[str] = ...) -> None: ...

class RemoveReply(_message.Message):
    __slots__ = ["bytes_freed", "removed"]
    BYTES_FREED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    bytes_freed: int
    removed: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, removed: _Optional[_Iterable[str]] = ..., bytes_freed: _Optional[int] = ...) -> None: ...

class RemoveRequest(_message.Message):
    __slots__ = ["name", "with_heads"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    WITH_HEADS_FIELD_NUMBER: _ClassVar[int]
    name: str
    with_heads: bool
    def __init__(self, name: _Optional[str] = ..., with_heads: bool = ...) -> None: ...

class Run(_message.Message):
    __slots__ = ["configuration", "encoder", "ended", "head", "id", "message", "metrics", "provenance", "seconds", "started", "state"]
    class MetricsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    class SecondsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    CONFIGURATION_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    configuration: str
    encoder: str
    ended: float
    head: str
    id: str
    message: str
    metrics: _containers.ScalarMap[str, float]
    provenance: RunProvenance
    seconds: _containers.ScalarMap[str, float]
    started: float
    state: str
    def __init__(self, id: _Optional[str] = ..., head: _Optional[str] = ..., encoder: _Optional[str] = ..., state: _Optional[str] = ..., started: _Optional[float] = ..., ended: _Optional[float] = ..., metrics: _Optional[_Mapping[str, float]] = ..., message: _Optional[str] = ..., seconds: _Optional[_Mapping[str, float]] = ..., configuration: _Optional[str] = ..., provenance: _Optional[_Union[RunProvenance, _Mapping]] = ...) -> None: ...

class RunProvenance(_message.Message):
    __slots__ = ["core_hour_price", "core_seconds", "daemon_version", "data_digest", "encoder_digests", "machine", "plugin", "protocol", "seed", "test_digest", "watts_per_core"]
    class EncoderDigestsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CORE_HOUR_PRICE_FIELD_NUMBER: _ClassVar[int]
    CORE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    DAEMON_VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_DIGEST_FIELD_NUMBER: _ClassVar[int]
    ENCODER_DIGESTS_FIELD_NUMBER: _ClassVar[int]
    MACHINE_FIELD_NUMBER: _ClassVar[int]
    PLUGIN_FIELD_NUMBER: _ClassVar[int]
    PROTOCOL_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    WATTS_PER_CORE_FIELD_NUMBER: _ClassVar[int]
    core_hour_price: float
    core_seconds: float
    daemon_version: str
    data_digest: str
    encoder_digests: _containers.ScalarMap[str, str]
    machine: Machine
    plugin: str
    protocol: int
    seed: int
    test_digest: str
    watts_per_core: float
    def __init__(self, daemon_version: _Optional[str] = ..., protocol: _Optional[int] = ..., plugin: _Optional[str] = ..., seed: _Optional[int] = ..., data_digest: _Optional[str] = ..., test_digest: _Optional[str] = ..., encoder_digests: _Optional[_Mapping[str, str]] = ..., machine: _Optional[_Union[Machine, _Mapping]] = ..., core_seconds: _Optional[float] = ..., watts_per_core: _Optional[float] = ..., core_hour_price: _Optional[float] = ...) -> None: ...

class ShowReply(_message.Message):
    __slots__ = ["encoder", "head", "history", "run"]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    encoder: Encoder
    head: Head
    history: _containers.RepeatedCompositeFieldContainer[MetricPoint]
    run: Run
    def __init__(self, encoder: _Optional[_Union[Encoder, _Mapping]] = ..., head: _Optional[_Union[Head, _Mapping]] = ..., run: _Optional[_Union[Run, _Mapping]] = ..., history: _Optional[_Iterable[_Union[MetricPoint, _Mapping]]] = ...) -> None: ...

class ShowRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class FeatureForm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class CallKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

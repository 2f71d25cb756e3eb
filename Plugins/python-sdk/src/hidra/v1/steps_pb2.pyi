from hidra.v1 import data_pb2 as _data_pb2
from hidra.v1 import registry_pb2 as _registry_pb2
from hidra.v1 import work_pb2 as _work_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttachReply(_message.Message):
    __slots__ = ["inputs", "loss", "outputs", "parameters", "run", "sequence", "steps"]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    inputs: _containers.RepeatedCompositeFieldContainer[_registry_pb2.HeadInput]
    loss: str
    outputs: int
    parameters: int
    run: str
    sequence: int
    steps: int
    def __init__(self, run: _Optional[str] = ..., sequence: _Optional[int] = ..., steps: _Optional[int] = ..., parameters: _Optional[int] = ..., outputs: _Optional[int] = ..., inputs: _Optional[_Iterable[_Union[_registry_pb2.HeadInput, _Mapping]]] = ..., loss: _Optional[str] = ...) -> None: ...

class AttachRequest(_message.Message):
    __slots__ = ["checkpoint_steps", "encoder", "head", "inputs", "kind", "labels", "loss", "optimiser", "precision", "replace", "run", "seed", "tap", "task"]
    CHECKPOINT_STEPS_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    OPTIMISER_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TAP_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    checkpoint_steps: int
    encoder: str
    head: str
    inputs: _containers.RepeatedCompositeFieldContainer[_registry_pb2.HeadInput]
    kind: _work_pb2.HeadKind
    labels: _containers.RepeatedScalarFieldContainer[str]
    loss: Loss
    optimiser: Optimiser
    precision: str
    replace: bool
    run: str
    seed: int
    tap: str
    task: _work_pb2.Task
    def __init__(self, head: _Optional[str] = ..., run: _Optional[str] = ..., encoder: _Optional[str] = ..., tap: _Optional[str] = ..., kind: _Optional[_Union[_work_pb2.HeadKind, _Mapping]] = ..., inputs: _Optional[_Iterable[_Union[_registry_pb2.HeadInput, _Mapping]]] = ..., precision: _Optional[str] = ..., task: _Optional[_Union[_work_pb2.Task, str]] = ..., labels: _Optional[_Iterable[str]] = ..., optimiser: _Optional[_Union[Optimiser, _Mapping]] = ..., seed: _Optional[int] = ..., loss: _Optional[_Union[Loss, _Mapping]] = ..., replace: bool = ..., checkpoint_steps: _Optional[int] = ...) -> None: ...

class BackwardReply(_message.Message):
    __slots__ = ["gradient_norm", "sequence", "steps"]
    GRADIENT_NORM_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    gradient_norm: float
    sequence: int
    steps: int
    def __init__(self, sequence: _Optional[int] = ..., steps: _Optional[int] = ..., gradient_norm: _Optional[float] = ...) -> None: ...

class BackwardRequest(_message.Message):
    __slots__ = ["learning_rate", "run", "sequence", "step"]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    learning_rate: float
    run: str
    sequence: int
    step: bool
    def __init__(self, run: _Optional[str] = ..., sequence: _Optional[int] = ..., step: bool = ..., learning_rate: _Optional[float] = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ["columns", "data", "input_column", "label_column", "label_separator", "rows"]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    INPUT_COLUMN_FIELD_NUMBER: _ClassVar[int]
    LABEL_COLUMN_FIELD_NUMBER: _ClassVar[int]
    LABEL_SEPARATOR_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[_data_pb2.Column]
    data: str
    input_column: str
    label_column: str
    label_separator: str
    rows: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, data: _Optional[str] = ..., rows: _Optional[_Iterable[int]] = ..., columns: _Optional[_Iterable[_Union[_data_pb2.Column, _Mapping]]] = ..., input_column: _Optional[str] = ..., label_column: _Optional[str] = ..., label_separator: _Optional[str] = ...) -> None: ...

class DetachReply(_message.Message):
    __slots__ = ["head", "run"]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    head: _registry_pb2.Head
    run: _registry_pb2.Run
    def __init__(self, run: _Optional[_Union[_registry_pb2.Run, _Mapping]] = ..., head: _Optional[_Union[_registry_pb2.Head, _Mapping]] = ...) -> None: ...

class DetachRequest(_message.Message):
    __slots__ = ["keep", "metrics", "run"]
    class MetricsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    KEEP_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    keep: bool
    metrics: _containers.ScalarMap[str, float]
    run: str
    def __init__(self, run: _Optional[str] = ..., keep: bool = ..., metrics: _Optional[_Mapping[str, float]] = ...) -> None: ...

class ForwardBackwardReply(_message.Message):
    __slots__ = ["loss", "sequence", "truncated"]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    loss: float
    sequence: int
    truncated: int
    def __init__(self, sequence: _Optional[int] = ..., loss: _Optional[float] = ..., truncated: _Optional[int] = ...) -> None: ...

class ForwardBackwardRequest(_message.Message):
    __slots__ = ["batch", "outputs", "run", "scale", "sequence"]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    outputs: bool
    run: str
    scale: float
    sequence: int
    def __init__(self, run: _Optional[str] = ..., sequence: _Optional[int] = ..., batch: _Optional[_Union[Batch, _Mapping]] = ..., scale: _Optional[float] = ..., outputs: bool = ...) -> None: ...

class ForwardReply(_message.Message):
    __slots__ = ["sequence", "truncated"]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    truncated: int
    def __init__(self, sequence: _Optional[int] = ..., truncated: _Optional[int] = ...) -> None: ...

class ForwardRequest(_message.Message):
    __slots__ = ["batch", "run", "sequence"]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    run: str
    sequence: int
    def __init__(self, run: _Optional[str] = ..., sequence: _Optional[int] = ..., batch: _Optional[_Union[Batch, _Mapping]] = ...) -> None: ...

class LoadStateReply(_message.Message):
    __slots__ = ["sequence", "steps"]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    steps: int
    def __init__(self, sequence: _Optional[int] = ..., steps: _Optional[int] = ...) -> None: ...

class LoadStateRequest(_message.Message):
    __slots__ = ["run", "sequence"]
    RUN_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    run: str
    sequence: int
    def __init__(self, run: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class Loss(_message.Message):
    __slots__ = ["class_weights", "label_smoothing", "name"]
    CLASS_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    LABEL_SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    class_weights: _containers.RepeatedScalarFieldContainer[float]
    label_smoothing: float
    name: str
    def __init__(self, name: _Optional[str] = ..., label_smoothing: _Optional[float] = ..., class_weights: _Optional[_Iterable[float]] = ...) -> None: ...

class OptimStepReply(_message.Message):
    __slots__ = ["gradient_norm", "sequence", "steps"]
    GRADIENT_NORM_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    gradient_norm: float
    sequence: int
    steps: int
    def __init__(self, sequence: _Optional[int] = ..., steps: _Optional[int] = ..., gradient_norm: _Optional[float] = ...) -> None: ...

class OptimStepRequest(_message.Message):
    __slots__ = ["learning_rate", "run", "sequence"]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    learning_rate: float
    run: str
    sequence: int
    def __init__(self, run: _Optional[str] = ..., sequence: _Optional[int] = ..., learning_rate: _Optional[float] = ...) -> None: ...

class Optimiser(_message.Message):
    __slots__ = ["beta1", "beta2", "clip_norm", "learning_rate", "momentum", "name", "weight_decay"]
    BETA1_FIELD_NUMBER: _ClassVar[int]
    BETA2_FIELD_NUMBER: _ClassVar[int]
    CLIP_NORM_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    MOMENTUM_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_DECAY_FIELD_NUMBER: _ClassVar[int]
    beta1: float
    beta2: float
    clip_norm: float
    learning_rate: float
    momentum: float
    name: str
    weight_decay: float
    def __init__(self, name: _Optional[str] = ..., learning_rate: _Optional[float] = ..., weight_decay: _Optional[float] = ..., momentum: _Optional[float] = ..., beta1: _Optional[float] = ..., beta2: _Optional[float] = ..., clip_norm: _Optional[float] = ...) -> None: ...

class SaveStateReply(_message.Message):
    __slots__ = ["digest", "sequence", "steps"]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    digest: str
    sequence: int
    steps: int
    def __init__(self, sequence: _Optional[int] = ..., steps: _Optional[int] = ..., digest: _Optional[str] = ...) -> None: ...

class SaveStateRequest(_message.Message):
    __slots__ = ["run"]
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: str
    def __init__(self, run: _Optional[str] = ...) -> None: ...

from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Calibration(_message.Message):
    __slots__ = ["error_after", "error_before", "rows", "temperature", "thresholds"]
    ERROR_AFTER_FIELD_NUMBER: _ClassVar[int]
    ERROR_BEFORE_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    THRESHOLDS_FIELD_NUMBER: _ClassVar[int]
    error_after: float
    error_before: float
    rows: int
    temperature: float
    thresholds: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, temperature: _Optional[float] = ..., thresholds: _Optional[_Iterable[float]] = ..., error_before: _Optional[float] = ..., error_after: _Optional[float] = ..., rows: _Optional[int] = ...) -> None: ...

class Contrastive(_message.Message):
    __slots__ = ["batch_size", "encoder", "epochs", "iterations", "layers", "learning_rate"]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    batch_size: int
    encoder: str
    epochs: int
    iterations: int
    layers: int
    learning_rate: float
    def __init__(self, encoder: _Optional[str] = ..., layers: _Optional[int] = ..., iterations: _Optional[int] = ..., batch_size: _Optional[int] = ..., epochs: _Optional[int] = ..., learning_rate: _Optional[float] = ...) -> None: ...

class Search(_message.Message):
    __slots__ = ["configurations"]
    CONFIGURATIONS_FIELD_NUMBER: _ClassVar[int]
    configurations: int
    def __init__(self, configurations: _Optional[int] = ...) -> None: ...

class SelfTraining(_message.Message):
    __slots__ = ["confidence", "data", "rounds"]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    confidence: float
    data: str
    rounds: int
    def __init__(self, data: _Optional[str] = ..., confidence: _Optional[float] = ..., rounds: _Optional[int] = ...) -> None: ...

class SelfTrainingRound(_message.Message):
    __slots__ = ["kept", "number", "taken", "test_accuracy", "validation_score"]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TAKEN_FIELD_NUMBER: _ClassVar[int]
    TEST_ACCURACY_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_SCORE_FIELD_NUMBER: _ClassVar[int]
    kept: bool
    number: int
    taken: int
    test_accuracy: float
    validation_score: float
    def __init__(self, number: _Optional[int] = ..., taken: _Optional[int] = ..., validation_score: _Optional[float] = ..., test_accuracy: _Optional[float] = ..., kept: bool = ...) -> None: ...

class Trial(_message.Message):
    __slots__ = ["batch_size", "best_epoch", "chosen", "dropout", "epochs", "hidden", "kind", "label_smoothing", "learning_rate", "number", "rounds", "score", "seconds", "weight_decay"]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    BEST_EPOCH_FIELD_NUMBER: _ClassVar[int]
    CHOSEN_FIELD_NUMBER: _ClassVar[int]
    DROPOUT_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ROUNDS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_DECAY_FIELD_NUMBER: _ClassVar[int]
    batch_size: int
    best_epoch: int
    chosen: bool
    dropout: float
    epochs: int
    hidden: int
    kind: str
    label_smoothing: float
    learning_rate: float
    number: int
    rounds: int
    score: float
    seconds: float
    weight_decay: float
    def __init__(self, number: _Optional[int] = ..., kind: _Optional[str] = ..., hidden: _Optional[int] = ..., dropout: _Optional[float] = ..., learning_rate: _Optional[float] = ..., batch_size: _Optional[int] = ..., weight_decay: _Optional[float] = ..., label_smoothing: _Optional[float] = ..., epochs: _Optional[int] = ..., best_epoch: _Optional[int] = ..., score: _Optional[float] = ..., rounds: _Optional[int] = ..., seconds: _Optional[float] = ..., chosen: bool = ...) -> None: ...

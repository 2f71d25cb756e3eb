from hidra.v1 import data_pb2 as _data_pb2
from hidra.v1 import registry_pb2 as _registry_pb2
from hidra.v1 import settings_pb2 as _settings_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

CLASSIFY: Task
DESCRIPTOR: _descriptor.FileDescriptor
MULTILABEL: Task
REGRESS: Task
TAG: Task
TASK_UNSPECIFIED: Task

class ClassReport(_message.Message):
    __slots__ = ["f1", "label", "precision", "recall", "support"]
    F1_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    RECALL_FIELD_NUMBER: _ClassVar[int]
    SUPPORT_FIELD_NUMBER: _ClassVar[int]
    f1: float
    label: str
    precision: float
    recall: float
    support: int
    def __init__(self, label: _Optional[str] = ..., precision: _Optional[float] = ..., recall: _Optional[float] = ..., f1: _Optional[float] = ..., support: _Optional[int] = ...) -> None: ...

class Confusion(_message.Message):
    __slots__ = ["actual", "count", "predicted"]
    ACTUAL_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_FIELD_NUMBER: _ClassVar[int]
    actual: str
    count: int
    predicted: str
    def __init__(self, actual: _Optional[str] = ..., predicted: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class EmbedReply(_message.Message):
    __slots__ = ["cached", "problems", "seconds", "truncated"]
    class ProblemsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: str
        def __init__(self, key: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...
    CACHED_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    cached: int
    problems: _containers.ScalarMap[int, str]
    seconds: float
    truncated: int
    def __init__(self, truncated: _Optional[int] = ..., cached: _Optional[int] = ..., seconds: _Optional[float] = ..., problems: _Optional[_Mapping[int, str]] = ...) -> None: ...

class EmbedRequest(_message.Message):
    __slots__ = ["encoder", "images", "precision", "tap", "texts"]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    TAP_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    encoder: str
    images: _containers.RepeatedScalarFieldContainer[bytes]
    precision: str
    tap: str
    texts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, encoder: _Optional[str] = ..., texts: _Optional[_Iterable[str]] = ..., tap: _Optional[str] = ..., images: _Optional[_Iterable[bytes]] = ..., precision: _Optional[str] = ...) -> None: ...

class EvaluateReply(_message.Message):
    __slots__ = ["classes", "confusions", "head", "metrics", "notes", "rows", "seconds", "task", "truncated_rows"]
    class MetricsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    CONFUSIONS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_ROWS_FIELD_NUMBER: _ClassVar[int]
    classes: _containers.RepeatedCompositeFieldContainer[ClassReport]
    confusions: _containers.RepeatedCompositeFieldContainer[Confusion]
    head: str
    metrics: _containers.ScalarMap[str, float]
    notes: _containers.RepeatedScalarFieldContainer[str]
    rows: int
    seconds: float
    task: Task
    truncated_rows: int
    def __init__(self, head: _Optional[str] = ..., task: _Optional[_Union[Task, str]] = ..., rows: _Optional[int] = ..., metrics: _Optional[_Mapping[str, float]] = ..., classes: _Optional[_Iterable[_Union[ClassReport, _Mapping]]] = ..., confusions: _Optional[_Iterable[_Union[Confusion, _Mapping]]] = ..., truncated_rows: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ..., seconds: _Optional[float] = ...) -> None: ...

class EvaluateRequest(_message.Message):
    __slots__ = ["data", "head", "input_column", "input_columns", "label_column", "label_separator", "name_column", "precision"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    INPUT_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    INPUT_COLUMN_FIELD_NUMBER: _ClassVar[int]
    LABEL_COLUMN_FIELD_NUMBER: _ClassVar[int]
    LABEL_SEPARATOR_FIELD_NUMBER: _ClassVar[int]
    NAME_COLUMN_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    data: str
    head: str
    input_column: str
    input_columns: _containers.RepeatedScalarFieldContainer[str]
    label_column: str
    label_separator: str
    name_column: str
    precision: str
    def __init__(self, head: _Optional[str] = ..., data: _Optional[str] = ..., input_column: _Optional[str] = ..., label_column: _Optional[str] = ..., label_separator: _Optional[str] = ..., name_column: _Optional[str] = ..., input_columns: _Optional[_Iterable[str]] = ..., precision: _Optional[str] = ...) -> None: ...

class ExportReply(_message.Message):
    __slots__ = ["model"]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: bytes
    def __init__(self, model: _Optional[bytes] = ...) -> None: ...

class ExportRequest(_message.Message):
    __slots__ = ["head"]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    head: str
    def __init__(self, head: _Optional[str] = ...) -> None: ...

class HeadKind(_message.Message):
    __slots__ = ["dropout", "graph", "hidden", "name"]
    DROPOUT_FIELD_NUMBER: _ClassVar[int]
    GRAPH_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    dropout: float
    graph: bytes
    hidden: int
    name: str
    def __init__(self, name: _Optional[str] = ..., hidden: _Optional[int] = ..., dropout: _Optional[float] = ..., graph: _Optional[bytes] = ...) -> None: ...

class HeadPrediction(_message.Message):
    __slots__ = ["labels", "spans", "value"]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    labels: _containers.RepeatedCompositeFieldContainer[Score]
    spans: _containers.RepeatedCompositeFieldContainer[Span]
    value: float
    def __init__(self, labels: _Optional[_Iterable[_Union[Score, _Mapping]]] = ..., value: _Optional[float] = ..., spans: _Optional[_Iterable[_Union[Span, _Mapping]]] = ...) -> None: ...

class Hyperparameters(_message.Message):
    __slots__ = ["batch_size", "class_weights", "epochs", "label_smoothing", "learning_rate", "patience", "seed", "validation", "warmup", "weight_decay"]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    CLASS_WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    EPOCHS_FIELD_NUMBER: _ClassVar[int]
    LABEL_SMOOTHING_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    PATIENCE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    WARMUP_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_DECAY_FIELD_NUMBER: _ClassVar[int]
    batch_size: int
    class_weights: bool
    epochs: int
    label_smoothing: float
    learning_rate: float
    patience: int
    seed: int
    validation: float
    warmup: float
    weight_decay: float
    def __init__(self, epochs: _Optional[int] = ..., learning_rate: _Optional[float] = ..., batch_size: _Optional[int] = ..., seed: _Optional[int] = ..., weight_decay: _Optional[float] = ..., warmup: _Optional[float] = ..., patience: _Optional[int] = ..., validation: _Optional[float] = ..., class_weights: bool = ..., label_smoothing: _Optional[float] = ...) -> None: ...

class PredictReply(_message.Message):
    __slots__ = ["cached", "encoded", "first", "inputs", "seconds", "truncated"]
    CACHED_FIELD_NUMBER: _ClassVar[int]
    ENCODED_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    cached: int
    encoded: int
    first: int
    inputs: _containers.RepeatedCompositeFieldContainer[Prediction]
    seconds: float
    truncated: int
    def __init__(self, inputs: _Optional[_Iterable[_Union[Prediction, _Mapping]]] = ..., encoded: _Optional[int] = ..., cached: _Optional[int] = ..., truncated: _Optional[int] = ..., seconds: _Optional[float] = ..., first: _Optional[int] = ...) -> None: ...

class PredictRequest(_message.Message):
    __slots__ = ["columns", "heads", "images", "precision", "stream", "texts", "top"]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    columns: _containers.RepeatedCompositeFieldContainer[_data_pb2.Column]
    heads: _containers.RepeatedScalarFieldContainer[str]
    images: _containers.RepeatedScalarFieldContainer[bytes]
    precision: str
    stream: bool
    texts: _containers.RepeatedScalarFieldContainer[str]
    top: int
    def __init__(self, heads: _Optional[_Iterable[str]] = ..., texts: _Optional[_Iterable[str]] = ..., top: _Optional[int] = ..., images: _Optional[_Iterable[bytes]] = ..., columns: _Optional[_Iterable[_Union[_data_pb2.Column, _Mapping]]] = ..., stream: bool = ..., precision: _Optional[str] = ...) -> None: ...

class Prediction(_message.Message):
    __slots__ = ["heads", "problem", "tokens", "truncated"]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    heads: _containers.RepeatedCompositeFieldContainer[HeadPrediction]
    problem: str
    tokens: int
    truncated: bool
    def __init__(self, heads: _Optional[_Iterable[_Union[HeadPrediction, _Mapping]]] = ..., truncated: bool = ..., tokens: _Optional[int] = ..., problem: _Optional[str] = ...) -> None: ...

class PullReply(_message.Message):
    __slots__ = ["encoder", "fetched"]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    FETCHED_FIELD_NUMBER: _ClassVar[int]
    encoder: _registry_pb2.Encoder
    fetched: bool
    def __init__(self, encoder: _Optional[_Union[_registry_pb2.Encoder, _Mapping]] = ..., fetched: bool = ...) -> None: ...

class PullRequest(_message.Message):
    __slots__ = ["name", "source", "token"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    source: str
    token: str
    def __init__(self, source: _Optional[str] = ..., name: _Optional[str] = ..., token: _Optional[str] = ...) -> None: ...

class QuantizeReply(_message.Message):
    __slots__ = ["encoder", "fp32_bytes", "int8_bytes", "mean", "minimum", "quantiles", "rows", "worst"]
    class QuantilesEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    FP32_BYTES_FIELD_NUMBER: _ClassVar[int]
    INT8_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    QUANTILES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    WORST_FIELD_NUMBER: _ClassVar[int]
    encoder: _registry_pb2.Encoder
    fp32_bytes: int
    int8_bytes: int
    mean: float
    minimum: float
    quantiles: _containers.ScalarMap[str, float]
    rows: int
    worst: _containers.RepeatedCompositeFieldContainer[RowCosine]
    def __init__(self, encoder: _Optional[_Union[_registry_pb2.Encoder, _Mapping]] = ..., rows: _Optional[int] = ..., mean: _Optional[float] = ..., minimum: _Optional[float] = ..., quantiles: _Optional[_Mapping[str, float]] = ..., worst: _Optional[_Iterable[_Union[RowCosine, _Mapping]]] = ..., fp32_bytes: _Optional[int] = ..., int8_bytes: _Optional[int] = ...) -> None: ...

class QuantizeRequest(_message.Message):
    __slots__ = ["data", "encoder", "input_column", "precision"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    INPUT_COLUMN_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    data: str
    encoder: str
    input_column: str
    precision: str
    def __init__(self, encoder: _Optional[str] = ..., precision: _Optional[str] = ..., data: _Optional[str] = ..., input_column: _Optional[str] = ...) -> None: ...

class RowCosine(_message.Message):
    __slots__ = ["cosine", "row"]
    COSINE_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    cosine: float
    row: int
    def __init__(self, row: _Optional[int] = ..., cosine: _Optional[float] = ...) -> None: ...

class Score(_message.Message):
    __slots__ = ["label", "score"]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    label: str
    score: float
    def __init__(self, label: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...

class Span(_message.Message):
    __slots__ = ["end", "label", "score", "start"]
    END_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    end: int
    label: str
    score: float
    start: int
    def __init__(self, label: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., score: _Optional[float] = ...) -> None: ...

class TrainReply(_message.Message):
    __slots__ = ["calibration", "head", "run", "self_training", "summary", "test", "trials"]
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    SELF_TRAINING_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    calibration: _settings_pb2.Calibration
    head: _registry_pb2.Head
    run: _registry_pb2.Run
    self_training: _containers.RepeatedCompositeFieldContainer[_settings_pb2.SelfTrainingRound]
    summary: TrainingSummary
    test: EvaluateReply
    trials: _containers.RepeatedCompositeFieldContainer[_settings_pb2.Trial]
    def __init__(self, head: _Optional[_Union[_registry_pb2.Head, _Mapping]] = ..., run: _Optional[_Union[_registry_pb2.Run, _Mapping]] = ..., test: _Optional[_Union[EvaluateReply, _Mapping]] = ..., summary: _Optional[_Union[TrainingSummary, _Mapping]] = ..., trials: _Optional[_Iterable[_Union[_settings_pb2.Trial, _Mapping]]] = ..., self_training: _Optional[_Iterable[_Union[_settings_pb2.SelfTrainingRound, _Mapping]]] = ..., calibration: _Optional[_Union[_settings_pb2.Calibration, _Mapping]] = ...) -> None: ...

class TrainRequest(_message.Message):
    __slots__ = ["call_deadline_milliseconds", "calls", "contrastive", "data", "encoder", "head", "holdout", "hyperparameters", "input_column", "inputs", "kind", "label_column", "label_separator", "name_column", "precision", "replace", "search", "self_training", "tap", "task", "test_data"]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    CALL_DEADLINE_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    CONTRASTIVE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    HOLDOUT_FIELD_NUMBER: _ClassVar[int]
    HYPERPARAMETERS_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    INPUT_COLUMN_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABEL_COLUMN_FIELD_NUMBER: _ClassVar[int]
    LABEL_SEPARATOR_FIELD_NUMBER: _ClassVar[int]
    NAME_COLUMN_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    SEARCH_FIELD_NUMBER: _ClassVar[int]
    SELF_TRAINING_FIELD_NUMBER: _ClassVar[int]
    TAP_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    TEST_DATA_FIELD_NUMBER: _ClassVar[int]
    call_deadline_milliseconds: int
    calls: _containers.RepeatedScalarFieldContainer[_registry_pb2.CallKind]
    contrastive: _settings_pb2.Contrastive
    data: str
    encoder: str
    head: str
    holdout: float
    hyperparameters: Hyperparameters
    input_column: str
    inputs: _containers.RepeatedCompositeFieldContainer[_registry_pb2.HeadInput]
    kind: HeadKind
    label_column: str
    label_separator: str
    name_column: str
    precision: str
    replace: bool
    search: _settings_pb2.Search
    self_training: _settings_pb2.SelfTraining
    tap: str
    task: Task
    test_data: str
    def __init__(self, head: _Optional[str] = ..., encoder: _Optional[str] = ..., task: _Optional[_Union[Task, str]] = ..., data: _Optional[str] = ..., input_column: _Optional[str] = ..., label_column: _Optional[str] = ..., test_data: _Optional[str] = ..., holdout: _Optional[float] = ..., kind: _Optional[_Union[HeadKind, _Mapping]] = ..., hyperparameters: _Optional[_Union[Hyperparameters, _Mapping]] = ..., label_separator: _Optional[str] = ..., tap: _Optional[str] = ..., replace: bool = ..., name_column: _Optional[str] = ..., inputs: _Optional[_Iterable[_Union[_registry_pb2.HeadInput, _Mapping]]] = ..., calls: _Optional[_Iterable[_Union[_registry_pb2.CallKind, str]]] = ..., call_deadline_milliseconds: _Optional[int] = ..., precision: _Optional[str] = ..., search: _Optional[_Union[_settings_pb2.Search, _Mapping]] = ..., self_training: _Optional[_Union[_settings_pb2.SelfTraining, _Mapping]] = ..., contrastive: _Optional[_Union[_settings_pb2.Contrastive, _Mapping]] = ...) -> None: ...

class TrainingSummary(_message.Message):
    __slots__ = ["best_epoch", "cache_hits", "cache_misses", "evaluate_seconds", "extract_seconds", "learning_rate", "notes", "steps", "steps_per_second", "test_rows", "total_seconds", "train_rows", "train_seconds", "truncated_rows", "validation_rows", "validation_score"]
    BEST_EPOCH_FIELD_NUMBER: _ClassVar[int]
    CACHE_HITS_FIELD_NUMBER: _ClassVar[int]
    CACHE_MISSES_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    EXTRACT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    LEARNING_RATE_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    STEPS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    TEST_ROWS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TRAIN_ROWS_FIELD_NUMBER: _ClassVar[int]
    TRAIN_SECONDS_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_ROWS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_ROWS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_SCORE_FIELD_NUMBER: _ClassVar[int]
    best_epoch: int
    cache_hits: int
    cache_misses: int
    evaluate_seconds: float
    extract_seconds: float
    learning_rate: float
    notes: _containers.RepeatedScalarFieldContainer[str]
    steps: int
    steps_per_second: float
    test_rows: int
    total_seconds: float
    train_rows: int
    train_seconds: float
    truncated_rows: int
    validation_rows: int
    validation_score: float
    def __init__(self, train_rows: _Optional[int] = ..., validation_rows: _Optional[int] = ..., test_rows: _Optional[int] = ..., cache_hits: _Optional[int] = ..., cache_misses: _Optional[int] = ..., truncated_rows: _Optional[int] = ..., steps: _Optional[int] = ..., steps_per_second: _Optional[float] = ..., extract_seconds: _Optional[float] = ..., train_seconds: _Optional[float] = ..., evaluate_seconds: _Optional[float] = ..., total_seconds: _Optional[float] = ..., learning_rate: _Optional[float] = ..., best_epoch: _Optional[int] = ..., validation_score: _Optional[float] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class Task(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

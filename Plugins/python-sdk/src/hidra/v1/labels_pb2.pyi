from hidra.v1 import work_pb2 as _work_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Cluster(_message.Message):
    __slots__ = ["name", "nearest", "rows", "words"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NEAREST_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    name: str
    nearest: _containers.RepeatedScalarFieldContainer[int]
    rows: int
    words: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., words: _Optional[_Iterable[str]] = ..., rows: _Optional[int] = ..., nearest: _Optional[_Iterable[int]] = ...) -> None: ...

class ClusterReply(_message.Message):
    __slots__ = ["assignment", "clusters", "distances", "notes", "seconds", "silhouette"]
    ASSIGNMENT_FIELD_NUMBER: _ClassVar[int]
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    DISTANCES_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    SILHOUETTE_FIELD_NUMBER: _ClassVar[int]
    assignment: _containers.RepeatedScalarFieldContainer[int]
    clusters: _containers.RepeatedCompositeFieldContainer[Cluster]
    distances: _containers.RepeatedScalarFieldContainer[float]
    notes: _containers.RepeatedScalarFieldContainer[str]
    seconds: float
    silhouette: float
    def __init__(self, clusters: _Optional[_Iterable[_Union[Cluster, _Mapping]]] = ..., assignment: _Optional[_Iterable[int]] = ..., distances: _Optional[_Iterable[float]] = ..., silhouette: _Optional[float] = ..., seconds: _Optional[float] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class ClusterRequest(_message.Message):
    __slots__ = ["clusters", "data", "encoder", "input_column", "precision", "seed", "starts", "tap"]
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    INPUT_COLUMN_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    TAP_FIELD_NUMBER: _ClassVar[int]
    clusters: int
    data: str
    encoder: str
    input_column: str
    precision: str
    seed: int
    starts: int
    tap: str
    def __init__(self, encoder: _Optional[str] = ..., data: _Optional[str] = ..., input_column: _Optional[str] = ..., clusters: _Optional[int] = ..., seed: _Optional[int] = ..., starts: _Optional[int] = ..., tap: _Optional[str] = ..., precision: _Optional[str] = ...) -> None: ...

class LearningCurvePoint(_message.Message):
    __slots__ = ["deviation", "mean", "rows", "scores", "share"]
    DEVIATION_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    deviation: float
    mean: float
    rows: int
    scores: _containers.RepeatedScalarFieldContainer[float]
    share: float
    def __init__(self, share: _Optional[float] = ..., rows: _Optional[int] = ..., scores: _Optional[_Iterable[float]] = ..., mean: _Optional[float] = ..., deviation: _Optional[float] = ...) -> None: ...

class LearningCurveReply(_message.Message):
    __slots__ = ["answer", "metric", "more_would_help", "notes", "points", "seconds", "test_rows"]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    MORE_WOULD_HELP_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    TEST_ROWS_FIELD_NUMBER: _ClassVar[int]
    answer: str
    metric: str
    more_would_help: bool
    notes: _containers.RepeatedScalarFieldContainer[str]
    points: _containers.RepeatedCompositeFieldContainer[LearningCurvePoint]
    seconds: float
    test_rows: int
    def __init__(self, points: _Optional[_Iterable[_Union[LearningCurvePoint, _Mapping]]] = ..., metric: _Optional[str] = ..., answer: _Optional[str] = ..., more_would_help: bool = ..., test_rows: _Optional[int] = ..., seconds: _Optional[float] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class LearningCurveRequest(_message.Message):
    __slots__ = ["seeds", "shares", "training"]
    SEEDS_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    TRAINING_FIELD_NUMBER: _ClassVar[int]
    seeds: int
    shares: _containers.RepeatedScalarFieldContainer[float]
    training: _work_pb2.TrainRequest
    def __init__(self, training: _Optional[_Union[_work_pb2.TrainRequest, _Mapping]] = ..., shares: _Optional[_Iterable[float]] = ..., seeds: _Optional[int] = ...) -> None: ...

class SuggestReply(_message.Message):
    __slots__ = ["duplicates", "notes", "seconds", "suggestions"]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    SUGGESTIONS_FIELD_NUMBER: _ClassVar[int]
    duplicates: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    seconds: float
    suggestions: _containers.RepeatedCompositeFieldContainer[Suggestion]
    def __init__(self, suggestions: _Optional[_Iterable[_Union[Suggestion, _Mapping]]] = ..., duplicates: _Optional[int] = ..., seconds: _Optional[float] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class SuggestRequest(_message.Message):
    __slots__ = ["count", "data", "head", "input_columns", "precision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    INPUT_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    data: str
    head: str
    input_columns: _containers.RepeatedScalarFieldContainer[str]
    precision: str
    def __init__(self, head: _Optional[str] = ..., data: _Optional[str] = ..., input_columns: _Optional[_Iterable[str]] = ..., count: _Optional[int] = ..., precision: _Optional[str] = ...) -> None: ...

class Suggestion(_message.Message):
    __slots__ = ["labels", "row", "uncertainty"]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    UNCERTAINTY_FIELD_NUMBER: _ClassVar[int]
    labels: _containers.RepeatedCompositeFieldContainer[_work_pb2.Score]
    row: int
    uncertainty: float
    def __init__(self, row: _Optional[int] = ..., labels: _Optional[_Iterable[_Union[_work_pb2.Score, _Mapping]]] = ..., uncertainty: _Optional[float] = ...) -> None: ...

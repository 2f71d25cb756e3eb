from hidra.v1 import registry_pb2 as _registry_pb2
from hidra.v1 import work_pb2 as _work_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckDataReply(_message.Message):
    __slots__ = ["findings", "labels", "notes", "rows", "seconds", "test_rows"]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    TEST_ROWS_FIELD_NUMBER: _ClassVar[int]
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    labels: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    rows: int
    seconds: float
    test_rows: int
    def __init__(self, rows: _Optional[int] = ..., test_rows: _Optional[int] = ..., labels: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ..., seconds: _Optional[float] = ...) -> None: ...

class CheckDataRequest(_message.Message):
    __slots__ = ["data", "encoder", "examples", "input_columns", "label_column", "label_separator", "near", "precision", "rare", "seed", "tap", "task", "test_data"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    ENCODER_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    INPUT_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    LABEL_COLUMN_FIELD_NUMBER: _ClassVar[int]
    LABEL_SEPARATOR_FIELD_NUMBER: _ClassVar[int]
    NEAR_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    RARE_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    TAP_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    TEST_DATA_FIELD_NUMBER: _ClassVar[int]
    data: str
    encoder: str
    examples: int
    input_columns: _containers.RepeatedScalarFieldContainer[str]
    label_column: str
    label_separator: str
    near: float
    precision: str
    rare: int
    seed: int
    tap: str
    task: _work_pb2.Task
    test_data: str
    def __init__(self, data: _Optional[str] = ..., test_data: _Optional[str] = ..., input_columns: _Optional[_Iterable[str]] = ..., label_column: _Optional[str] = ..., task: _Optional[_Union[_work_pb2.Task, str]] = ..., label_separator: _Optional[str] = ..., encoder: _Optional[str] = ..., tap: _Optional[str] = ..., precision: _Optional[str] = ..., seed: _Optional[int] = ..., examples: _Optional[int] = ..., near: _Optional[float] = ..., rare: _Optional[int] = ...) -> None: ...

class CompareReply(_message.Message):
    __slots__ = ["first", "metrics", "second", "settings", "test"]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    first: _registry_pb2.Run
    metrics: _containers.RepeatedCompositeFieldContainer[MetricDifference]
    second: _registry_pb2.Run
    settings: _containers.RepeatedCompositeFieldContainer[Difference]
    test: PairedTest
    def __init__(self, first: _Optional[_Union[_registry_pb2.Run, _Mapping]] = ..., second: _Optional[_Union[_registry_pb2.Run, _Mapping]] = ..., settings: _Optional[_Iterable[_Union[Difference, _Mapping]]] = ..., metrics: _Optional[_Iterable[_Union[MetricDifference, _Mapping]]] = ..., test: _Optional[_Union[PairedTest, _Mapping]] = ...) -> None: ...

class CompareRequest(_message.Message):
    __slots__ = ["first", "second", "seed"]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    first: str
    second: str
    seed: int
    def __init__(self, first: _Optional[str] = ..., second: _Optional[str] = ..., seed: _Optional[int] = ...) -> None: ...

class Difference(_message.Message):
    __slots__ = ["first", "name", "second"]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    first: str
    name: str
    second: str
    def __init__(self, name: _Optional[str] = ..., first: _Optional[str] = ..., second: _Optional[str] = ...) -> None: ...

class ExportBundleReply(_message.Message):
    __slots__ = ["bundle"]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    bundle: bytes
    def __init__(self, bundle: _Optional[bytes] = ...) -> None: ...

class ExportBundleRequest(_message.Message):
    __slots__ = ["head"]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    head: str
    def __init__(self, head: _Optional[str] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ["count", "examples", "kind", "severity", "text"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    EXAMPLES_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    count: int
    examples: _containers.RepeatedCompositeFieldContainer[FindingExample]
    kind: str
    severity: str
    text: str
    def __init__(self, kind: _Optional[str] = ..., severity: _Optional[str] = ..., count: _Optional[int] = ..., text: _Optional[str] = ..., examples: _Optional[_Iterable[_Union[FindingExample, _Mapping]]] = ...) -> None: ...

class FindingExample(_message.Message):
    __slots__ = ["is_test", "label", "other_is_test", "other_label", "other_row", "other_text", "row", "suggestion", "text", "value"]
    IS_TEST_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    OTHER_IS_TEST_FIELD_NUMBER: _ClassVar[int]
    OTHER_LABEL_FIELD_NUMBER: _ClassVar[int]
    OTHER_ROW_FIELD_NUMBER: _ClassVar[int]
    OTHER_TEXT_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    SUGGESTION_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    is_test: bool
    label: str
    other_is_test: bool
    other_label: str
    other_row: int
    other_text: str
    row: int
    suggestion: str
    text: str
    value: float
    def __init__(self, row: _Optional[int] = ..., is_test: bool = ..., text: _Optional[str] = ..., label: _Optional[str] = ..., other_row: _Optional[int] = ..., other_is_test: bool = ..., other_text: _Optional[str] = ..., other_label: _Optional[str] = ..., suggestion: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class ImportBundleReply(_message.Message):
    __slots__ = ["head", "imported", "notes"]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    IMPORTED_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    head: _registry_pb2.Head
    imported: bool
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, head: _Optional[_Union[_registry_pb2.Head, _Mapping]] = ..., imported: bool = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class ImportBundleRequest(_message.Message):
    __slots__ = ["bundle", "name", "replace"]
    BUNDLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REPLACE_FIELD_NUMBER: _ClassVar[int]
    bundle: bytes
    name: str
    replace: bool
    def __init__(self, bundle: _Optional[bytes] = ..., name: _Optional[str] = ..., replace: bool = ...) -> None: ...

class MetricDifference(_message.Message):
    __slots__ = ["first", "name", "second"]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    first: float
    name: str
    second: float
    def __init__(self, name: _Optional[str] = ..., first: _Optional[float] = ..., second: _Optional[float] = ...) -> None: ...

class PairedTest(_message.Message):
    __slots__ = ["difference", "high", "low", "method", "only_first", "only_second", "p_value", "quantity", "rows"]
    DIFFERENCE_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    ONLY_FIRST_FIELD_NUMBER: _ClassVar[int]
    ONLY_SECOND_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    difference: float
    high: float
    low: float
    method: str
    only_first: int
    only_second: int
    p_value: float
    quantity: str
    rows: int
    def __init__(self, method: _Optional[str] = ..., rows: _Optional[int] = ..., p_value: _Optional[float] = ..., quantity: _Optional[str] = ..., difference: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., only_first: _Optional[int] = ..., only_second: _Optional[int] = ...) -> None: ...

class TestRowsReply(_message.Message):
    __slots__ = ["actual", "actual_values", "confidence", "errors", "explained", "history", "labels", "map", "mapped", "notes", "predicted", "predicted_values", "run", "task"]
    ACTUAL_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_VALUES_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    MAPPED_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_FIELD_NUMBER: _ClassVar[int]
    PREDICTED_VALUES_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    actual: _containers.RepeatedScalarFieldContainer[int]
    actual_values: _containers.RepeatedScalarFieldContainer[float]
    confidence: _containers.RepeatedScalarFieldContainer[float]
    errors: _containers.RepeatedScalarFieldContainer[int]
    explained: _containers.RepeatedScalarFieldContainer[float]
    history: _containers.RepeatedCompositeFieldContainer[_registry_pb2.MetricPoint]
    labels: _containers.RepeatedScalarFieldContainer[str]
    map: _containers.RepeatedScalarFieldContainer[float]
    mapped: _containers.RepeatedScalarFieldContainer[int]
    notes: _containers.RepeatedScalarFieldContainer[str]
    predicted: _containers.RepeatedScalarFieldContainer[int]
    predicted_values: _containers.RepeatedScalarFieldContainer[float]
    run: _registry_pb2.Run
    task: _work_pb2.Task
    def __init__(self, run: _Optional[_Union[_registry_pb2.Run, _Mapping]] = ..., history: _Optional[_Iterable[_Union[_registry_pb2.MetricPoint, _Mapping]]] = ..., task: _Optional[_Union[_work_pb2.Task, str]] = ..., labels: _Optional[_Iterable[str]] = ..., actual: _Optional[_Iterable[int]] = ..., predicted: _Optional[_Iterable[int]] = ..., confidence: _Optional[_Iterable[float]] = ..., actual_values: _Optional[_Iterable[float]] = ..., predicted_values: _Optional[_Iterable[float]] = ..., map: _Optional[_Iterable[float]] = ..., mapped: _Optional[_Iterable[int]] = ..., explained: _Optional[_Iterable[float]] = ..., notes: _Optional[_Iterable[str]] = ..., errors: _Optional[_Iterable[int]] = ...) -> None: ...

class TestRowsRequest(_message.Message):
    __slots__ = ["run"]
    RUN_FIELD_NUMBER: _ClassVar[int]
    run: str
    def __init__(self, run: _Optional[str] = ...) -> None: ...

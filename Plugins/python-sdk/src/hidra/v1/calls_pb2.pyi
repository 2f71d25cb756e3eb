from hidra.v1 import data_pb2 as _data_pb2
from hidra.v1 import registry_pb2 as _registry_pb2
from hidra.v1 import work_pb2 as _work_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Call(_message.Message):
    __slots__ = ["call", "columns", "deadline_milliseconds", "head", "kind", "labels", "step", "task"]
    CALL_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    call: int
    columns: _containers.RepeatedCompositeFieldContainer[_data_pb2.Column]
    deadline_milliseconds: int
    head: str
    kind: _registry_pb2.CallKind
    labels: _containers.RepeatedScalarFieldContainer[str]
    step: int
    task: _work_pb2.Task
    def __init__(self, call: _Optional[int] = ..., kind: _Optional[_Union[_registry_pb2.CallKind, str]] = ..., head: _Optional[str] = ..., step: _Optional[int] = ..., deadline_milliseconds: _Optional[int] = ..., labels: _Optional[_Iterable[str]] = ..., columns: _Optional[_Iterable[_Union[_data_pb2.Column, _Mapping]]] = ..., task: _Optional[_Union[_work_pb2.Task, str]] = ...) -> None: ...

class CallResult(_message.Message):
    __slots__ = ["call", "columns", "loss", "metrics", "predictions", "problem", "request_id"]
    CALL_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    PREDICTIONS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    call: int
    columns: _containers.RepeatedCompositeFieldContainer[_data_pb2.Column]
    loss: float
    metrics: _containers.RepeatedCompositeFieldContainer[Metric]
    predictions: _containers.RepeatedCompositeFieldContainer[_work_pb2.HeadPrediction]
    problem: str
    request_id: int
    def __init__(self, request_id: _Optional[int] = ..., call: _Optional[int] = ..., problem: _Optional[str] = ..., loss: _Optional[float] = ..., metrics: _Optional[_Iterable[_Union[Metric, _Mapping]]] = ..., columns: _Optional[_Iterable[_Union[_data_pb2.Column, _Mapping]]] = ..., predictions: _Optional[_Iterable[_Union[_work_pb2.HeadPrediction, _Mapping]]] = ...) -> None: ...

class Metric(_message.Message):
    __slots__ = ["name", "value"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...

class ServeReply(_message.Message):
    __slots__ = ["calls"]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    calls: int
    def __init__(self, calls: _Optional[int] = ...) -> None: ...

class ServeRequest(_message.Message):
    __slots__ = ["heads", "losses"]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    LOSSES_FIELD_NUMBER: _ClassVar[int]
    heads: _containers.RepeatedScalarFieldContainer[str]
    losses: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, heads: _Optional[_Iterable[str]] = ..., losses: _Optional[_Iterable[str]] = ...) -> None: ...

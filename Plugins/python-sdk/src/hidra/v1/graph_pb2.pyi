from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckGraphReply(_message.Message):
    __slots__ = ["activation_bytes", "initialisers", "inputs", "operators", "opsets", "outputs", "parameters", "problems", "remarks", "roles", "weight_bytes"]
    class OpsetsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    ACTIVATION_BYTES_FIELD_NUMBER: _ClassVar[int]
    INITIALISERS_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OPERATORS_FIELD_NUMBER: _ClassVar[int]
    OPSETS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    REMARKS_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_BYTES_FIELD_NUMBER: _ClassVar[int]
    activation_bytes: int
    initialisers: _containers.RepeatedCompositeFieldContainer[GraphValue]
    inputs: _containers.RepeatedCompositeFieldContainer[GraphValue]
    operators: _containers.RepeatedCompositeFieldContainer[OperatorUse]
    opsets: _containers.ScalarMap[str, int]
    outputs: _containers.RepeatedCompositeFieldContainer[GraphValue]
    parameters: int
    problems: _containers.RepeatedCompositeFieldContainer[GraphProblem]
    remarks: _containers.RepeatedCompositeFieldContainer[GraphProblem]
    roles: _containers.RepeatedCompositeFieldContainer[GraphInputRole]
    weight_bytes: int
    def __init__(self, operators: _Optional[_Iterable[_Union[OperatorUse, _Mapping]]] = ..., inputs: _Optional[_Iterable[_Union[GraphValue, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[GraphValue, _Mapping]]] = ..., parameters: _Optional[int] = ..., initialisers: _Optional[_Iterable[_Union[GraphValue, _Mapping]]] = ..., weight_bytes: _Optional[int] = ..., activation_bytes: _Optional[int] = ..., problems: _Optional[_Iterable[_Union[GraphProblem, _Mapping]]] = ..., opsets: _Optional[_Mapping[str, int]] = ..., remarks: _Optional[_Iterable[_Union[GraphProblem, _Mapping]]] = ..., roles: _Optional[_Iterable[_Union[GraphInputRole, _Mapping]]] = ...) -> None: ...

class CheckGraphRequest(_message.Message):
    __slots__ = ["batch", "model", "sizes"]
    class SizesEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    BATCH_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    batch: int
    model: bytes
    sizes: _containers.ScalarMap[str, int]
    def __init__(self, model: _Optional[bytes] = ..., batch: _Optional[int] = ..., sizes: _Optional[_Mapping[str, int]] = ...) -> None: ...

class GraphInputRole(_message.Message):
    __slots__ = ["input", "of", "problem", "role"]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OF_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    input: str
    of: str
    problem: str
    role: str
    def __init__(self, input: _Optional[str] = ..., role: _Optional[str] = ..., of: _Optional[str] = ..., problem: _Optional[str] = ...) -> None: ...

class GraphProblem(_message.Message):
    __slots__ = ["message", "node"]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    message: str
    node: str
    def __init__(self, node: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class GraphValue(_message.Message):
    __slots__ = ["name", "shape", "type"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[str]
    type: str
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., shape: _Optional[_Iterable[str]] = ...) -> None: ...

class OperatorUse(_message.Message):
    __slots__ = ["count", "differentiable", "name"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DIFFERENTIABLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    count: int
    differentiable: bool
    name: str
    def __init__(self, name: _Optional[str] = ..., count: _Optional[int] = ..., differentiable: bool = ...) -> None: ...

class RunGraphReply(_message.Message):
    __slots__ = ["seconds"]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    seconds: float
    def __init__(self, seconds: _Optional[float] = ...) -> None: ...

class RunGraphRequest(_message.Message):
    __slots__ = ["model"]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: bytes
    def __init__(self, model: _Optional[bytes] = ...) -> None: ...

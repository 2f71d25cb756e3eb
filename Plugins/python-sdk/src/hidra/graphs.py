"""Small networks as ONNX, without any other package: what a head of several inputs is made of.

    from hidra.graphs import Graph

    graph = Graph(seed=1)
    u, v = graph.input("u", 384), graph.input("v", 384)
    hidden = graph.linear(graph.concat(u, v, abs(u - v), u * v), 128).relu()
    client.train(rows, text=["first", "second"], encoder="minilm", name="pairs", head=graph.model(graph.linear(hidden, 3)))

All values are float32 ``[rows, width]``. For more there are ``hidra.torch`` and the package ``onnx``.
"""

from __future__ import annotations

import math
from typing import Any, List, Optional, Sequence, Union

import numpy as np

from .errors import InvalidArgumentError

_OPSET, _IR, _FLOAT = 17, 8, 1


class Value:
    """A node's output, ``[rows, width]``."""

    def __init__(self, graph: Graph, name: str, width: int) -> None:
        self._graph = graph
        self.name = name
        self.width = width

    def __add__(self, other: Operand) -> Value:
        return self._graph._pair("Add", self, other)

    def __sub__(self, other: Operand) -> Value:
        return self._graph._pair("Sub", self, other)

    def __mul__(self, other: Operand) -> Value:
        return self._graph._pair("Mul", self, other)

    def __truediv__(self, other: Operand) -> Value:
        return self._graph._pair("Div", self, other)

    def __abs__(self) -> Value:
        return self._graph._node("Abs", [self.name], self.width)

    def relu(self) -> Value:
        return self._graph._node("Relu", [self.name], self.width)

    def tanh(self) -> Value:
        return self._graph._node("Tanh", [self.name], self.width)

    def exp(self) -> Value:
        return self._graph._node("Exp", [self.name], self.width)

    def log(self) -> Value:
        return self._graph._node("Log", [self.name], self.width)

    def softmax(self) -> Value:
        return self._graph._node("Softmax", [self.name], self.width, _attribute("axis", 1))


Operand = Union[Value, float]


class Graph:
    """``seed``: of the weights that layers begin with."""

    def __init__(self, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        self._inputs: List[bytes] = []
        self._nodes: List[bytes] = []
        self._weights: List[bytes] = []
        self._count = 0

    def input(self, name: str, width: int) -> Value:
        """Vectors of an encoder, ``[rows, width]``."""
        self._inputs.append(_value(name, width))
        return Value(self, name, width)

    def concat(self, *values: Value) -> Value:
        """One after the other, ``[rows, sum of widths]``."""
        width = sum(value.width for value in values)
        return self._node("Concat", [value.name for value in values], width, _attribute("axis", 1))

    def linear(self, value: Value, width: int) -> Value:
        """A layer with weights of its own, uniform within 1/√width of the input, and a bias of zeros."""
        bound = 1 / math.sqrt(value.width)
        weight = self._random.uniform(-bound, bound, (value.width, width)).astype(np.float32)
        return self.matmul(value, weight, np.zeros(width, np.float32))

    def matmul(self, value: Value, weight: Any, bias: Optional[Any] = None) -> Value:
        """``value × weight + bias``, with ``weight`` ``[value.width, width]``. Training changes both."""
        weight = np.asarray(weight, np.float32)
        if weight.ndim != 2 or weight.shape[0] != value.width:
            raise InvalidArgumentError(f"The weight is {list(weight.shape)}; it must be [{value.width}, width].")
        operands = [value.name, self._weight(weight)]
        if bias is not None:
            operands.append(self._weight(np.asarray(bias, np.float32).reshape(weight.shape[1])))
        return self._node("Gemm", operands, weight.shape[1])

    def model(self, output: Value) -> bytes:
        """The serialised ModelProto, whose output ``outputs`` is ``output``."""
        nodes = [*self._nodes, _node("Identity", [output.name], "outputs")]
        graph = b"".join(
            [_field(1, node) for node in nodes] + [_field(2, b"hidra")] + [_field(5, weight) for weight in self._weights]
            + [_field(11, value) for value in self._inputs] + [_field(12, _value("outputs", output.width))]
        )  # fmt: skip
        return _field(1, _IR) + _field(2, b"hidra") + _field(7, graph) + _field(8, _field(1, b"") + _field(2, _OPSET))

    def _pair(self, operator: str, left: Value, right: Operand) -> Value:
        if isinstance(right, Value):
            if right.width != left.width and 1 not in (left.width, right.width):
                raise InvalidArgumentError(f"{operator} of widths {left.width} and {right.width}: they must be equal, or one 1.")
            return self._node(operator, [left.name, right.name], max(left.width, right.width))
        return self._node(operator, [left.name, self._constant(right)], left.width)

    def _constant(self, number: float) -> str:
        """Not a weight: training leaves it alone."""
        self._count += 1
        name = f"constant{self._count}"
        tensor = _tensor("", np.asarray(number, np.float32))
        attribute = _field(1, b"value") + _field(5, tensor) + _field(20, 4)
        self._nodes.append(_node("Constant", [], name, attribute))
        return name

    def _weight(self, array: Any) -> str:
        self._count += 1
        name = f"weight{self._count}"
        self._weights.append(_tensor(name, array))
        return name

    def _node(self, operator: str, operands: Sequence[str], width: int, attribute: bytes = b"") -> Value:
        self._count += 1
        name = f"{operator.lower()}{self._count}"
        self._nodes.append(_node(operator, operands, name, attribute))
        return Value(self, name, width)


# Messages of onnx.proto, by their field numbers.


def _varint(number: int) -> bytes:
    result = bytearray()
    while number > 127:
        result.append(number & 127 | 128)
        number >>= 7
    result.append(number)
    return bytes(result)


def _field(number: int, value: Union[int, bytes]) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _node(operator: str, operands: Sequence[str], output: str, attribute: bytes = b"") -> bytes:
    parts = [_field(1, name.encode()) for name in operands]
    parts += [_field(2, output.encode()), _field(3, output.encode()), _field(4, operator.encode())]
    return b"".join(parts) + (_field(5, attribute) if attribute else b"")


def _attribute(name: str, number: int) -> bytes:
    return _field(1, name.encode()) + _field(3, number) + _field(20, 2)


def _tensor(name: str, array: Any) -> bytes:
    dimensions = b"".join(_field(1, extent) for extent in array.shape)
    return dimensions + _field(2, _FLOAT) + _field(8, name.encode()) + _field(9, array.astype("<f4").tobytes())


def _value(name: str, width: int) -> bytes:
    shape = _field(1, _field(2, b"rows")) + _field(1, _field(1, width))
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, _FLOAT) + _field(2, shape)))

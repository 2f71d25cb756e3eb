"""Kinds of heads: the daemon's own, ONNX graphs, and PyTorch modules, which become one."""

from __future__ import annotations

import os
import sys
from typing import Any, Callable, List, Mapping, Optional, Sequence, Union

from .errors import InvalidArgumentError, NotFoundError
from .home import PathLike
from .results import HeadInput
from .v1 import registry_pb2
from .v1 import work_pb2 as pb

HeadLike = Union[str, bytes, PathLike, Any]
"""``"linear"``, ``"mlp"``, ``"tagger"``, an ONNX model (its bytes, or its file's path), or a ``torch.nn.Module``."""

Inputs = Optional[Mapping[str, Union[str, HeadInput]]]
"""What each input of a graph reads, by its name: a column, or a ``HeadInput``."""

Widths = Callable[[], Sequence[int]]
"""Asked for the lengths of the feature vectors that the inputs read, when a module is exported."""


def head_kind(head: HeadLike, hidden: Optional[int], dropout: Optional[float], widths: Widths, inputs: Inputs) -> pb.HeadKind:
    if head in ("mlp", "tagger"):
        kind = pb.HeadKind(name=head, hidden=hidden or 0)
        if dropout is not None:
            kind.dropout = dropout
        return kind
    if hidden is not None or dropout is not None:
        raise InvalidArgumentError("hidden= and dropout= belong to head='mlp', or to a 'tagger'.")
    if head == "linear":
        return pb.HeadKind(name="linear")
    return pb.HeadKind(name="graph", graph=graph_bytes(head, widths, inputs))


def head_inputs(text: Union[str, Sequence[str]], inputs: Inputs) -> List[registry_pb2.HeadInput]:
    """As a request has them: none for a head that reads one column, which the request names."""
    if inputs is None:
        return [] if isinstance(text, str) or len(text) == 1 else [registry_pb2.HeadInput(column=name) for name in text]
    entries = []
    for name, entry in inputs.items():
        input = HeadInput(entry) if isinstance(entry, str) else entry
        entries.append(registry_pb2.HeadInput(name=name, column=input.column, encoder=input.encoder, tap=input.tap))
    return entries


def graph_bytes(model: HeadLike, widths: Optional[Widths] = None, inputs: Inputs = None) -> bytes:
    """A serialised ONNX ModelProto."""
    if isinstance(model, (bytes, bytearray, memoryview)):
        return bytes(model)
    if isinstance(model, (str, os.PathLike)):
        name = os.fspath(model)
        try:
            with open(name, "rb") as file:
                return file.read()
        except FileNotFoundError as error:
            hint = "" if "." in name or "/" in name else " Built-in heads are 'linear' and 'mlp'."
            raise NotFoundError(f"There is no file {name}.{hint}", details={"file": name}) from error
        except OSError as error:
            raise InvalidArgumentError(f"{name} cannot be read: {error.strerror}.") from error
    if hasattr(model, "SerializeToString"):
        return bytes(model.SerializeToString())
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(model, torch.nn.Module) and widths is not None:
        from .torch import argument_names, graph

        sizes = widths()
        names = list(inputs) if inputs is not None else argument_names(model, len(sizes))
        return graph(model, dict(zip(names, sizes)))
    raise InvalidArgumentError(
        f"A {type(model).__name__} is no head: give 'linear', 'mlp', an ONNX model (bytes or a path), or a torch.nn.Module."
    )

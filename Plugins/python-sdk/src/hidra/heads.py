"""Kinds of heads: the daemon's own, ONNX graphs, and PyTorch modules, which become one."""

from __future__ import annotations

import io
import os
import sys
import warnings
from typing import Any, Callable, Optional, Union

from .errors import InvalidArgumentError, NotFoundError, UnsupportedError
from .home import PathLike
from .v1 import work_pb2 as pb

HeadLike = Union[str, bytes, PathLike, Any]
"""``"linear"``, ``"mlp"``, an ONNX model (its bytes, or its file's path), or a ``torch.nn.Module``."""


def head_kind(
    head: HeadLike, hidden: Optional[int], dropout: Optional[float], width: Callable[[], int]
) -> pb.HeadKind:
    """``width``: asked for the length of a feature vector when a module is exported."""
    if head == "mlp":
        kind = pb.HeadKind(name="mlp", hidden=hidden or 0)
        if dropout is not None:
            kind.dropout = dropout
        return kind
    if hidden is not None or dropout is not None:
        raise InvalidArgumentError("hidden= and dropout= belong to head='mlp'.")
    if head == "linear":
        return pb.HeadKind(name="linear")
    return pb.HeadKind(name="graph", graph=graph_bytes(head, width))


def graph_bytes(model: HeadLike, width: Optional[Callable[[], int]] = None) -> bytes:
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
    if torch is not None and isinstance(model, torch.nn.Module) and width is not None:
        return export_module(model, width())
    raise InvalidArgumentError(
        f"A {type(model).__name__} is no head: give 'linear', 'mlp', an ONNX model (bytes or a path), or a torch.nn.Module."
    )


def export_module(module: Any, width: int) -> bytes:
    """A ``torch.nn.Module`` that maps features ``[rows, width]`` to outputs ``[rows, outputs]``, as ONNX.

    Its present weights are where training begins. It is exported as for inference: a dropout in it does nothing.
    """
    import torch

    try:
        import onnx  # noqa: F401  (torch's exporter needs it, and says so less clearly)
    except ImportError as error:
        raise UnsupportedError("Exporting a PyTorch module needs onnx: pip install 'hidra[torch]'.") from error
    parameter = next(module.parameters(), None)
    example = torch.zeros(2, width, device=parameter.device if parameter is not None else "cpu")
    was_training = module.training
    module.eval()
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings():
            # On the older exporter, which writes one self-contained file and needs no example of another batch size.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, (example,), buffer, input_names=["features"], output_names=["outputs"], dynamo=False,
                dynamic_axes={"features": {0: "rows"}, "outputs": {0: "rows"}}, opset_version=17,
            )  # fmt: skip
    except Exception as error:
        raise InvalidArgumentError(
            f"The module cannot be exported for features [rows, {width}]: {error}"
        ) from error
    finally:
        module.train(was_training)
    return buffer.getvalue()

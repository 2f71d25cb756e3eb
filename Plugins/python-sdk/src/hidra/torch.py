"""Heads from PyTorch: a module becomes the graph that the daemon trains.

    import hidra, hidra.torch

    client.train(rows, encoder="minilm", name="tone", head=module)               # features [rows, width] in: exported by itself
    states = {"states": ("rows", "tokens", 384), "mask": ("rows", "tokens")}
    client.train(rows, encoder="minilm", name="tone", head=hidra.torch.graph(attention, states))

The module's present weights are where training begins. It is exported as for inference: a dropout in it does nothing.
"""

from __future__ import annotations

import inspect
import io
import warnings
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Tuple, Union

from .errors import InvalidArgumentError, UnsupportedError

if TYPE_CHECKING:
    from .client import Client

Shape = Tuple[Union[int, str], ...]
"""Of an input: whole numbers, and names for what differs from batch to batch. The first is ``"rows"``."""

# Sizes of the example that the module is traced with.
_ROWS, _TOKENS = 2, 5


def graph(module: Any, inputs: Union[int, Mapping[str, Union[int, Shape]]], *, client: Optional[Client] = None) -> bytes:
    """A ``torch.nn.Module`` as a serialised ONNX model, for ``head=``.

    ``inputs``: the width of the features, or shapes by name in the order of ``forward``'s arguments; a width alone is the
    shape ``("rows", width)``. An input of token states is ``("rows", "tokens", width)``; beside it may come one with "mask"
    in its name, ``("rows", "tokens")``, or with "length" in it, ``("rows",)``. The first output is ``[rows, outputs]``.
    ``client``: asks its daemon whether it would take the graph; all reasons against it are one ``UnsupportedError``.
    """
    import torch

    try:
        import onnx  # noqa: F401  (torch's exporter needs it, and says so less clearly)
    except ImportError as error:
        raise UnsupportedError("Exporting a PyTorch module needs onnx: pip install 'hidra[torch]'.") from error
    shapes = {"features": inputs} if isinstance(inputs, int) else dict(inputs)
    axes: Dict[str, Dict[int, str]] = {"outputs": {0: "rows"}}
    examples = []
    parameter = next(module.parameters(), None)
    device = parameter.device if parameter is not None else "cpu"
    for name, given in shapes.items():
        shape: Shape = ("rows", given) if isinstance(given, int) else tuple(given)
        axes[name] = {axis: extent for axis, extent in enumerate(shape) if isinstance(extent, str)}
        extents = [extent if isinstance(extent, int) else _ROWS if extent == "rows" else _TOKENS for extent in shape]
        is_length = "length" in name
        # Ones: a mask of zeros would leave nothing to attend to.
        examples.append(torch.ones(extents, device=device, dtype=torch.int64 if is_length else torch.float32))
    was_training = module.training
    module.eval()
    buffer = io.BytesIO()
    try:
        with warnings.catch_warnings():
            # On the older exporter, which writes one self-contained file and needs no example of another batch size.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, tuple(examples), buffer, input_names=list(shapes), output_names=["outputs"], dynamo=False,
                dynamic_axes=axes, opset_version=17,
            )  # fmt: skip
    except Exception as error:
        described = ", ".join(f"{name} {given}" for name, given in shapes.items())
        raise InvalidArgumentError(f"The module cannot be exported for {described}: {error}") from error
    finally:
        module.train(was_training)
    model = buffer.getvalue()
    if client is not None:
        problems = client.check_graph(model).problems
        if problems:
            raise UnsupportedError(
                "hidrad cannot train this module: " + " ".join(f"{node}: {reason}" for node, reason in problems)
            )
    return model


def argument_names(module: Any, count: int) -> List[str]:
    """What the ``count`` inputs of a module are called: as the arguments of its ``forward``, or ``features`` if there is one."""
    if count == 1:
        return ["features"]
    arguments = [
        argument.name
        for argument in inspect.signature(module.forward).parameters.values()
        if argument.kind in (argument.POSITIONAL_ONLY, argument.POSITIONAL_OR_KEYWORD)
    ]
    return arguments[:count] if len(arguments) >= count else [f"features{i}" for i in range(count)]

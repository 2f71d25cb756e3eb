"""Functions of a client's own that stand in for the daemon's: ``proto/hidra/v1/calls.proto``."""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from .errors import InvalidDataError
from .results import TASKS, Span
from .v1 import calls_pb2, registry_pb2, work_pb2
from .wire import Reply, check_text

Array = Any
"""A NumPy array, or a tensor."""

Answer = Tuple[calls_pb2.CallResult, Dict[str, Any]]
Answering = Callable[[Reply], Answer]

_TASK_NAMES = {number: name for name, number in TASKS.items()}


@dataclass(frozen=True)
class CallContext:
    """What a call is about. ``step``: optimiser steps before this one; of metrics the epoch, 0 for the test rows.
    ``labels``: the names of the outputs, in their order. Of a head that labels words, whose outputs have a row for each word,
    ``lengths`` are the words of each text, and of ``postprocess`` ``texts`` the texts."""

    head: str
    step: int
    task: str
    labels: Tuple[str, ...]
    lengths: Tuple[int, ...] = ()
    texts: Tuple[str, ...] = ()


class CallBacks:
    """Up to one function of each kind."""

    def __init__(
        self,
        loss: Any = None,
        metrics: Optional[Callable[..., Any]] = None,
        preprocess: Optional[Callable[..., Any]] = None,
        postprocess: Optional[Callable[..., Any]] = None,
    ) -> None:
        given = {
            registry_pb2.PREPROCESS: preprocess, registry_pb2.LOSS: loss, registry_pb2.METRICS: metrics,
            registry_pb2.POSTPROCESS: postprocess,
        }  # fmt: skip
        self._functions = {kind: function for kind, function in given.items() if function is not None}
        self.kinds: List[Any] = list(self._functions)

    def answering(self) -> Answering:
        """Answers the calls of one request. What a function raises passes through."""
        # They come with the first call of each kind.
        labels: Dict[Tuple[str, int], Tuple[str, ...]] = {}

        def answer(reply: Reply) -> Answer:
            call = reply.envelope.call
            known = labels.setdefault((call.head, call.kind), tuple(call.labels))
            arrays = reply.arrays()
            lengths = tuple(int(n) for n in _tensor(arrays, "lengths", 1)) if call.task == work_pb2.TAG and "outputs" in arrays else ()
            texts = tuple(call.columns[0].values) if call.kind == registry_pb2.POSTPROCESS and call.columns else ()
            context = CallContext(call.head, call.step, _TASK_NAMES.get(call.task, "classify"), known, lengths, texts)
            function = self._functions.get(call.kind)
            if function is None:
                raise InvalidDataError(f"hidrad asks for something that this client does not do (kind {call.kind}).")
            return _ANSWERS[call.kind](function, call, arrays, context)

        return answer


def _tensor(arrays: Mapping[str, Any], name: str, rank: int) -> Array:
    """What a daemon of another version may leave out, or send in another form."""
    array = arrays.get(name)
    if array is None or array.ndim != rank:
        shape = "nothing" if array is None else f"the shape {list(array.shape)}"
        raise InvalidDataError(f'hidrad sent {shape} for "{name}", which must have {rank} dimensions. Are both of one version?')
    return array


def _rows(arrays: Mapping[str, Any], context: CallContext) -> Tuple[Array, Array]:
    """Outputs and targets of as many rows; of words, of as many words as all texts have."""
    outputs = _tensor(arrays, "outputs", 2)
    targets = _tensor(arrays, "targets", 1 if context.task in ("classify", "tag") else 2)
    if len(targets) != len(outputs) or targets.ndim == 2 and targets.shape != outputs.shape:
        raise InvalidDataError(f"hidrad sent targets {list(targets.shape)} for outputs {list(outputs.shape)}. Are both of one version?")
    if context.task == "tag" and sum(context.lengths) != len(outputs):
        raise InvalidDataError(f"hidrad sent outputs of {len(outputs)} words for texts of {sum(context.lengths)}. Are both of one version?")
    return outputs, targets


def _loss(function: Any, call: calls_pb2.Call, arrays: Mapping[str, Any], context: CallContext) -> Answer:
    outputs, targets = _rows(arrays, context)
    if is_torch(function):
        loss, gradients = _torch_loss(function, outputs, targets, context)
    else:
        loss, gradients = _invoke(function, (outputs, targets), context)
    loss, gradients = float(loss), np.asarray(gradients, dtype=np.float32)
    if gradients.shape != outputs.shape:
        raise InvalidDataError(
            f"The loss gave gradients {list(gradients.shape)}; they must have the outputs' shape {list(outputs.shape)}."
        )
    if not math.isfinite(loss) or not np.isfinite(gradients).all():
        raise InvalidDataError(f"The loss is not finite ({loss:g}, or its gradients). Guard logarithms and divisions.")
    return calls_pb2.CallResult(loss=loss), {"gradients": gradients}


def is_torch(function: Any) -> bool:
    """Whether it is to be given tensors: a ``torch.nn.Module``, or marked by ``plugin.loss(torch=True)``."""
    return bool(getattr(function, "hidra_torch", False)) or hasattr(function, "forward")


def _torch_loss(function: Any, outputs: Array, targets: Array, context: CallContext) -> Tuple[float, Array]:
    """By autograd. Classes come as int64, which is what PyTorch's own losses take."""
    import torch

    x = torch.from_numpy(outputs).requires_grad_(True)
    y = torch.from_numpy(targets)
    loss = _invoke(function, (x, y.long() if y.dtype == torch.int32 else y), context)
    if not isinstance(loss, torch.Tensor) or loss.ndim != 0:
        raise InvalidDataError("A loss in PyTorch must return a tensor of no dimensions: the mean over the rows.")
    (gradients,) = torch.autograd.grad(loss, x)
    return float(loss.detach()), gradients.numpy()


def _metrics(function: Any, call: calls_pb2.Call, arrays: Mapping[str, Any], context: CallContext) -> Answer:
    values = _invoke(function, _rows(arrays, context), context)
    if not isinstance(values, Mapping) or not values:
        raise InvalidDataError("Metrics must be a dict of numbers by name; the first decides which epoch's weights stay.")
    result = calls_pb2.CallResult()
    for name, value in values.items():
        result.metrics.add(name=name, value=float(value))
    return result, {}


def _preprocess(function: Any, call: calls_pb2.Call, arrays: Mapping[str, Any], context: CallContext) -> Answer:
    columns: List[List[Any]] = [[*column.blobs, *column.values] for column in call.columns]
    made = _invoke(function, columns, context)
    made = [made] if len(columns) == 1 else list(made)
    rows = len(columns[0])
    if len(made) != len(columns) or any(len(column) != rows for column in made):
        raise InvalidDataError(f"The preprocessing must return {len(columns)} columns of {rows} values, as it was given.")
    result = calls_pb2.CallResult()
    for column, values in zip(call.columns, made):
        if column.blobs:
            result.columns.add(name=column.name, blobs=values)
        else:
            result.columns.add(name=column.name, values=[check_text(v, row, column.name) for row, v in enumerate(values)])
    return result, {}


def _postprocess(function: Any, call: calls_pb2.Call, arrays: Mapping[str, Any], context: CallContext) -> Answer:
    outputs = _tensor(arrays, "outputs", 2)
    made = list(_invoke(function, (outputs,), context))
    rows = len(context.lengths) if context.task == "tag" else len(outputs)
    if len(made) != rows:
        raise InvalidDataError(f"The post-processing returned {len(made)} predictions for {rows} rows.")
    return calls_pb2.CallResult(predictions=[_prediction(value) for value in made]), {}


def _prediction(value: Any) -> work_pb2.HeadPrediction:
    """A label, a number, ``(label, score)``, a dict of scores by label, or a list of labels, of pairs, or of ``Span``s."""
    if isinstance(value, (list, tuple)) and value and all(isinstance(part, Span) for part in value):
        return work_pb2.HeadPrediction(
            spans=[work_pb2.Span(label=s.label, start=s.start, end=s.end, score=float(s.score)) for s in value]
        )
    if isinstance(value, (int, float, np.number)):
        return work_pb2.HeadPrediction(value=float(value))
    pairs: Sequence[Any]
    if isinstance(value, Mapping):
        pairs = sorted(value.items(), key=lambda pair: -pair[1])
    elif isinstance(value, str) or isinstance(value, tuple) and len(value) == 2 and not isinstance(value[1], (str, tuple)):
        pairs = [value]
    else:
        pairs = list(value)
    scores = [(pair, 1.0) if isinstance(pair, str) else pair for pair in pairs]
    return work_pb2.HeadPrediction(labels=[work_pb2.Score(label=label, score=float(score)) for label, score in scores])


def _invoke(function: Any, arguments: Sequence[Any], context: CallContext) -> Any:
    """With the context as one argument more, where the function has room for it without a default."""
    return function(*arguments, context) if _takes(function, len(arguments) + 1) else function(*arguments)


def _takes(function: Any, count: int) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    required = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty]
    return len(required) >= count


_ANSWERS: Dict[int, Callable[[Any, calls_pb2.Call, Mapping[str, Any], CallContext], Answer]] = {
    registry_pb2.LOSS: _loss, registry_pb2.METRICS: _metrics, registry_pb2.PREPROCESS: _preprocess,
    registry_pb2.POSTPROCESS: _postprocess,
}  # fmt: skip

"""Vectors and predictions."""

from __future__ import annotations

import os
from contextlib import closing
from typing import Any, Callable, Dict, Iterator, List, Literal, Mapping, Optional, Sequence, Tuple, Union, overload

import numpy as np

from . import images
from .calls import Calls
from .errors import InternalError, InvalidArgumentError, InvalidDataError, LimitExceededError
from .progress import Wish, reporting
from .results import Encoder, Head, Prediction, Progress
from .tables import column_names, columns_of
from .v1 import data_pb2, envelope_pb2, work_pb2
from .wire import check_text

# Inputs of one request: few enough that a bar moves, and that other clients' requests come in between.
_TEXTS_PER_REQUEST = 1024
_REQUEST_BYTES = 16 << 20

Columns = Union[str, Sequence[str], None]


class Inference(Calls):
    """What ``Client`` asks of encoders and heads."""

    def embed(
        self, encoder: str, inputs: Any, *, column: Optional[str] = None, tap: str = "", precision: str = "",
        progress: Wish = True, timeout: Optional[float] = None,
    ) -> np.ndarray[Any, np.dtype[np.float32]]:  # fmt: skip
        """Vectors of texts or images, float32 ``[inputs, width]``, to the bit those of ``hidra embed``.

        ``inputs``: a text or several; for an image encoder paths, bytes or PIL images; or rows as ``train`` takes them, with
        ``column`` naming what to read. Rows of images that cannot be read are NaN. ``tap``: name of another layer to read
        (``Encoder.taps``). ``precision``: what the encoder computes in, ``"fp32"`` or ``"int8"``; empty: as
        ``hidra quantize`` has set it.
        """
        values = _values(inputs) if column is None else columns_of(inputs, [column])[column]
        if not values:
            return np.zeros((0, self._encoder(encoder).width), np.float32)
        parts: List[np.ndarray[Any, np.dtype[np.float32]]] = []
        is_image = self._reads_images(values, encoder)

        def send(part: Sequence[Any], deadline: Optional[float]) -> None:
            request = work_pb2.EmbedRequest(encoder=encoder, tap=tap, precision=precision)
            (request.images if is_image else request.texts).extend(part)
            reply = self._work("embed", request, "embed_reply", deadline=deadline)
            array = reply.arrays().get("embeddings")
            if array is None or array.dtype != np.float32 or array.ndim != 2 or len(array) != len(part):
                raise InternalError("hidrad sent vectors of another shape than it was asked for.")
            parts.append(array)

        self._in_parts(values, _image if is_image else _text, "embedding", send, progress, timeout)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @overload
    def predict(
        self, heads: str, inputs: Any, *, text: Columns = None, top: int = 0, precision: str = "", progress: Wish = True,
        timeout: Optional[float] = None, stream: Literal[False] = False,
    ) -> List[Prediction]: ...  # fmt: skip
    @overload
    def predict(
        self, heads: Sequence[str], inputs: Any, *, text: Columns = None, top: int = 0, precision: str = "",
        progress: Wish = True, timeout: Optional[float] = None, stream: Literal[False] = False,
    ) -> List[Dict[str, Prediction]]: ...  # fmt: skip
    @overload
    def predict(
        self, heads: str, inputs: Any, *, text: Columns = None, top: int = 0, precision: str = "", progress: Wish = True,
        timeout: Optional[float] = None, stream: Literal[True],
    ) -> Iterator[Prediction]: ...  # fmt: skip
    @overload
    def predict(
        self, heads: Sequence[str], inputs: Any, *, text: Columns = None, top: int = 0, precision: str = "",
        progress: Wish = True, timeout: Optional[float] = None, stream: Literal[True],
    ) -> Iterator[Dict[str, Prediction]]: ...  # fmt: skip
    def predict(
        self, heads: Union[str, Sequence[str]], inputs: Any, *, text: Columns = None, top: int = 0, precision: str = "",
        progress: Wish = True, timeout: Optional[float] = None, stream: bool = False,
    ) -> Any:  # fmt: skip
        """What heads say about texts (or images), in their order; heads on one encoder share its pass.

        With one head, a prediction for each input; with a list of heads, a dict by head for each. ``inputs``: a text or
        several; tuples, one value for each column that the head reads; or rows as ``train`` takes them, of which it reads the
        columns ``text``, by default those of a head that reads several, else ``"text"``. ``top``: labels for each input, best first; 0: the
        best one, of a multilabel head all that apply. ``precision``: as of ``embed``.

        ``stream``: an iterator instead of a list, which gives each prediction as soon as the daemon has it, some 64 at a time.
        Leaving the loop early cancels the rest. Between its parts the daemon answers others.
        """
        names = [heads] if isinstance(heads, str) else list(heads)
        if not names:
            raise InvalidArgumentError("Name at least one head.")
        if top < 0:
            raise InvalidArgumentError(f"{top} labels cannot be asked for: use 0 or more.")
        values = self._inputs(inputs, names[0], text)
        is_table = bool(values) and isinstance(values[0], tuple)
        is_image = not is_table and self._reads_images(values, names[0])
        prepare = _cells if is_table else _image if is_image else _text

        def request(part: Sequence[Any]) -> work_pb2.PredictRequest:
            made = work_pb2.PredictRequest(heads=names, top=top, precision=precision)
            if is_table:
                # Known by their order; the names do not matter.
                made.columns.extend(
                    data_pb2.Column(name=str(number), values=column) for number, column in enumerate(zip(*part))
                )
            else:
                (made.images if is_image else made.texts).extend(part)
            return made

        def made(answer: work_pb2.Prediction) -> Any:
            if isinstance(heads, str):
                return Prediction.of(answer, 0)
            return {name: Prediction.of(answer, i) for i, name in enumerate(names)}

        if stream:
            return map(made, self._streamed(values, prepare, request, len(names), timeout))
        answers: List[work_pb2.Prediction] = []

        def send(part: Sequence[Any], deadline: Optional[float]) -> None:
            reply = self._work("predict", request(part), "predict_reply", deadline=deadline).envelope.predict_reply
            answers.extend(_complete(reply.inputs, len(part), len(names)))

        self._in_parts(values, prepare, "predicting", send, progress, timeout)
        return [made(answer) for answer in answers]

    def _streamed(
        self, values: Sequence[Any], prepare: Callable[[Any, int], Any],
        request: Callable[[Sequence[Any]], work_pb2.PredictRequest], heads: int, timeout: Optional[float],
    ) -> Iterator[work_pb2.Prediction]:  # fmt: skip
        """Answers as they come, of as few requests as the inputs fit into."""
        deadline, link, start = self._deadline(timeout), self._session.link(), 0
        while start < len(values):
            part = _part(values, start, link.limits.texts_per_stream, prepare)
            message, done = request(part), 0
            message.stream = True
            replies = link.connection.replies(
                "predict", message, socket="work", limit=link.limits.message_bytes, deadline=deadline
            )
            with closing(replies):
                for reply in replies:
                    if reply.envelope.WhichOneof("kind") != "predict_reply":
                        if reply.envelope.part == envelope_pb2.PART_PARTIAL:
                            continue
                        raise InternalError("hidrad answered with a message of the wrong kind. Are client and daemon of one version?")
                    answers = reply.envelope.predict_reply.inputs
                    done += len(answers)
                    yield from _complete(answers, len(answers), heads)
            if done != len(part):
                raise InternalError(f"hidrad answered {done} of {len(part)} inputs.")
            start += len(part)

    def _inputs(self, inputs: Any, head: str, text: Columns) -> List[Any]:
        """A value for each input; a tuple of them where the head reads several columns."""
        values: Any = inputs
        if column_names(inputs) is None and not (text is not None and isinstance(inputs, (str, os.PathLike))):
            values = _values(inputs)
            if values and isinstance(values[0], (tuple, list)):
                return [_row(value, number, len(values[0])) for number, value in enumerate(values)]
            if not values or not isinstance(values[0], Mapping) or values[0].keys() <= {"bytes", "path"}:
                return list(values)
        names = [text] if isinstance(text, str) else list(text or self._head(head).reads)
        table = columns_of(values, names)
        return table[names[0]] if len(names) == 1 else list(zip(*(table[name] for name in names)))

    def _reads_images(self, values: Sequence[Any], reader: str) -> bool:
        """A str may be a text or the path of an image; the encoder, or the head, knows."""
        for row, value in enumerate(values):
            if not isinstance(value, str) and not images.is_image(value):
                raise InvalidArgumentError(
                    f"Input {row + 1} is a {type(value).__name__}: texts are str, images paths, bytes or PIL images."
                )
        if values and not any(isinstance(value, str) for value in values):
            return True
        record = self._record(reader)
        return isinstance(record, (Encoder, Head)) and record.modality == "image"

    def _in_parts(
        self, values: Sequence[Any], prepare: Callable[[Any, int], Any], phase: str,
        send: Callable[[Sequence[Any], Optional[float]], None], progress: Wish, timeout: Optional[float],
    ) -> None:  # fmt: skip
        """Cuts inputs into requests the daemon takes. Images are read as they are sent."""
        deadline = self._deadline(timeout)
        most = min(_TEXTS_PER_REQUEST, self._session.link().limits.texts_per_request)
        start = 0
        with reporting(progress if callable(progress) or len(values) > most else False) as report:
            while start < len(values):
                part = _part(values, start, most, prepare)
                try:
                    send(part, deadline)
                except LimitExceededError:
                    # The vectors of fewer inputs fit into a reply.
                    if len(part) == 1:
                        raise
                    most = len(part) // 2
                    continue
                start += len(part)
                if report is not None:
                    report(Progress("", phase, start, len(values), "rows", {}, ""))


def _part(values: Sequence[Any], start: int, most: int, prepare: Callable[[Any, int], Any]) -> List[Any]:
    """The inputs of one request: at most so many, and not too large together. Images are read here."""
    part: List[Any] = []
    size = 0
    for value in values[start : start + most]:
        item = prepare(value, start + len(part))
        size += sum(map(len, item)) if isinstance(item, tuple) else len(item)
        if part and size > _REQUEST_BYTES:
            break
        part.append(item)
    return part


def _complete(answers: Sequence[work_pb2.Prediction], inputs: int, heads: int) -> Sequence[work_pb2.Prediction]:
    if len(answers) != inputs or any(not answer.problem and len(answer.heads) != heads for answer in answers):
        raise InternalError("hidrad answered other inputs or heads than it was asked about.")
    return answers


def _text(value: Any, row: int) -> str:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"Input {row + 1} is a {type(value).__name__}; it must be a text.")
    return check_text(value, row)


def _cells(value: Any, row: int) -> Tuple[str, ...]:
    return tuple(_text(cell, row) for cell in value)


def _row(value: Any, row: int, width: int) -> Tuple[Any, ...]:
    if not isinstance(value, (tuple, list)) or len(value) != width:
        raise InvalidDataError(f"Input {row + 1} must be {width} values, as the first is; it is {value!r}.")
    return tuple(value)


def _image(value: Any, row: int) -> bytes:
    return images.image_bytes(value)


def _values(inputs: Any) -> List[Any]:
    is_one = isinstance(inputs, (str, bytes, os.PathLike)) or hasattr(inputs, "save")
    return [inputs] if is_one else list(inputs)

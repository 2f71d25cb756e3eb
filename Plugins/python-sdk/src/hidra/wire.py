"""Envelopes and tensors as frames: section 2 of ``proto/README.md``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, List, Mapping, Sequence

import numpy as np
from google.protobuf.message import DecodeError, Message

from .errors import InternalError, InvalidArgumentError, InvalidDataError, LimitExceededError
from .v1 import envelope_pb2 as pb

FRAMES = 64
RANK = 8
CONTROL_MESSAGE_BYTES = 1 << 20
MESSAGE_BYTES = 64 << 20
"""Largest frame on the work socket unless ``Welcome.limits`` says otherwise."""

_ELEMENTS = {
    pb.FLOAT32: "<f4", pb.FLOAT64: "<f8", pb.FLOAT16: "<f2", pb.BFLOAT16: "<u2", pb.INT8: "i1", pb.INT16: "<i2",
    pb.INT32: "<i4", pb.INT64: "<i8", pb.UINT8: "u1", pb.UINT16: "<u2", pb.UINT32: "<u4", pb.UINT64: "<u8",
    pb.BOOL: "?",
}  # fmt: skip
_TYPES = {np.dtype(element): type for type, element in _ELEMENTS.items() if type != pb.BFLOAT16}


@dataclass
class Reply:
    """One message of the daemon: its envelope, and a frame for each entry of ``envelope.tensors``."""

    envelope: pb.Envelope
    tensors: List[bytes] = field(default_factory=list)

    def arrays(self) -> Mapping[str, np.ndarray[Any, Any]]:
        """The tensors by name, in their order. bfloat16, which NumPy lacks, becomes float32, exactly."""
        return {entry.name: _array(entry, data) for entry, data in zip(self.envelope.tensors, self.tensors)}


def encode(
    request_id: int, kind: str, message: Message, tensors: Mapping[str, np.ndarray[Any, Any]], limit: int
) -> List[bytes]:
    """A request's frames. Raises before anything is sent when the daemon would not take them."""
    envelope = pb.Envelope(request_id=request_id)
    getattr(envelope, kind).CopyFrom(message)
    getattr(envelope, kind).SetInParent()
    frames = [b""]
    for name, array in tensors.items():
        array = np.asarray(array)
        type = _TYPES.get(array.dtype.newbyteorder("<") if array.dtype.byteorder == ">" else array.dtype)
        if type is None or array.ndim > RANK:
            raise InvalidArgumentError(
                f"Tensor {name} is {array.dtype} with {array.ndim} dimensions; numbers and booleans with at most "
                f"{RANK} dimensions can be sent."
            )
        envelope.tensors.add(name=name, type=type, shape=array.shape)
        frames.append(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    if len(frames) > FRAMES:
        raise LimitExceededError(f"{len(frames) - 1} tensors in one message; at most {FRAMES - 1} are taken.")
    frames[0] = envelope.SerializeToString()
    largest = max(map(len, frames))
    if largest > limit:
        # The daemon would close the connection without a word.
        raise LimitExceededError(
            f"The message has {largest} bytes; hidrad takes {limit}. Send less at a time.",
            details={"limit": str(limit)},
        )
    return frames


def decode(frames: Sequence[bytes]) -> Reply:
    """Raises ``InternalError`` for what cannot be a message of the daemon."""
    if not frames:
        raise _unreadable("it has no frames")
    try:
        envelope = pb.Envelope.FromString(frames[0])
    except DecodeError as error:
        raise _unreadable(str(error)) from error
    tensors = list(frames[1:])
    if len(tensors) != len(envelope.tensors):
        raise _unreadable(f"it has {len(tensors)} tensors and announces {len(envelope.tensors)}")
    for entry, data in zip(envelope.tensors, tensors):
        element = _ELEMENTS.get(entry.type)
        if element is None or len(entry.shape) > RANK:
            raise _unreadable(f"tensor {entry.name} has an unknown type or {len(entry.shape)} dimensions")
        size = np.dtype(element).itemsize
        for extent in entry.shape:
            size *= extent
        if size != len(data):
            raise _unreadable(f"tensor {entry.name} has {len(data)} bytes, its shape {size}")
    return Reply(envelope, tensors)


def _unreadable(reason: str) -> InternalError:
    return InternalError(
        f"hidrad sent a message that cannot be read: {reason}. Are client and daemon of one version?"
    )


def _array(entry: Any, data: bytes) -> np.ndarray[Any, Any]:
    array = np.frombuffer(data, dtype=_ELEMENTS[entry.type])
    if entry.type == pb.BFLOAT16:
        array = (array.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return array.astype(array.dtype.newbyteorder("="), copy=True).reshape(tuple(entry.shape))


def check_text(text: str, row: int, column: str = "") -> str:
    """A text that protobuf can carry: valid Unicode."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        where = f"Row {row + 1}" + (f" of column '{column}'" if column else "")
        raise InvalidDataError(
            f"{where} is not valid Unicode: {error.reason} at character {error.start}. Clean the text.",
            details={"row": str(row + 1)},
        ) from error
    return text


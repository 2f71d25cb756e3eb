"""How the client's requests are made: on which socket, in which parts, until when."""

from __future__ import annotations

import time
from typing import Any, Callable, Iterable, List, Mapping, Optional, Sequence, Union

import numpy as np
from google.protobuf.message import Message

from . import images
from .errors import InternalError, InvalidArgumentError, LimitExceededError, NotFoundError
from .progress import Report, Wish, reporting
from .results import Encoder, Head, Progress, Run
from .rows import LabelledRows, upload
from .session import Link, Session
from .v1 import data_pb2, registry_pb2
from .wire import CONTROL_MESSAGE_BYTES, Reply, check_text

# Inputs of one request: few enough that a bar moves, and that other clients' requests come in between.
_TEXTS_PER_REQUEST = 1024
_REQUEST_BYTES = 16 << 20


class Calls:
    """What the methods of ``Client`` are made of."""

    def __init__(self, session: Session, timeout: Optional[float]) -> None:
        self._session = session
        self.timeout = timeout

    def _deadline(self, timeout: Optional[float]) -> Optional[float]:
        seconds = self.timeout if timeout is None else timeout
        return None if seconds is None else time.monotonic() + seconds

    def _control(self, kind: str, request: Message, reply: str) -> Any:
        answer = self._session.link().connection.ask(
            kind, request, socket="control", limit=CONTROL_MESSAGE_BYTES, deadline=self._deadline(None)
        )
        return _expect(answer, reply).envelope

    def _work(
        self,
        kind: str,
        request: Message,
        reply: str,
        *,
        tensors: Optional[Mapping[str, np.ndarray[Any, np.dtype[Any]]]] = None,
        report: Optional[Report] = None,
        timeout: Optional[float] = None,
        deadline: Optional[float] = None,
        link: Optional[Link] = None,
    ) -> Reply:
        link = link or self._session.link()
        progress: Optional[Callable[[registry_pb2.Progress], None]] = None
        if report is not None:
            tell = report
            progress = lambda message: tell(Progress.of(message))  # noqa: E731
        answer = link.connection.ask(
            kind, request, socket="work", limit=link.limits.message_bytes, tensors=tensors, progress=progress,
            deadline=deadline if deadline is not None else self._deadline(timeout),
        )  # fmt: skip
        return _expect(answer, reply)

    def _list(self) -> registry_pb2.ListReply:
        return self._work("list", registry_pb2.ListRequest(), "list_reply").envelope.list_reply

    def _record(self, name: str) -> Union[Encoder, Head, Run]:
        reply = self._work("show", registry_pb2.ShowRequest(name=name), "show_reply").envelope.show_reply
        item = reply.WhichOneof("item")
        if item == "encoder":
            return Encoder.of(reply.encoder)
        return Head.of(reply.head) if item == "head" else Run.of(reply.run, reply.history)

    def _encoder(self, name: str) -> Encoder:
        record = self._record(name)
        if not isinstance(record, Encoder):
            raise NotFoundError(f"'{name}' is no encoder. encoders() lists them.")
        return record

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

    def _upload(self, link: Link, rows: LabelledRows, deadline: Optional[float], sent: List[str]) -> str:
        def append(request: data_pb2.AppendRowsRequest) -> data_pb2.AppendRowsReply:
            if request.data not in sent:
                sent.append(request.data)
            answer = self._work("append_rows", request, "append_rows_reply", deadline=deadline, link=link)
            return answer.envelope.append_rows_reply

        return upload(rows, append, link.limits.message_bytes, link.limits.data_rows)

    def _in_parts(
        self, values: Sequence[Any], is_image: bool, phase: str, send: Callable[[Sequence[Any], Optional[float]], None],
        progress: Wish, timeout: Optional[float],
    ) -> None:  # fmt: skip
        """Cuts inputs into requests the daemon takes. Images are read as they are sent."""
        deadline = self._deadline(timeout)
        most = min(_TEXTS_PER_REQUEST, self._session.link().limits.texts_per_request)
        start = 0
        with reporting(progress if callable(progress) or len(values) > most else False) as report:
            while start < len(values):
                part: List[Any] = []
                size = 0
                for value in values[start : start + most]:
                    item = images.image_bytes(value) if is_image else _text(value, start + len(part))
                    size += len(item)
                    if part and size > _REQUEST_BYTES:
                        break
                    part.append(item)
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


def _expect(answer: Reply, kind: str) -> Reply:
    if answer.envelope.WhichOneof("kind") != kind:
        raise InternalError("hidrad answered with a message of the wrong kind. Are client and daemon of one version?")
    return answer


def drop(link: Link, sent: Iterable[str]) -> None:
    """Frees uploaded rows. What was made of them stays, and a training that runs has taken them already."""
    for name in sent:
        link.connection.tell("drop_rows", data_pb2.DropRowsRequest(data=name), socket="work")


def _text(value: Any, row: int) -> str:
    if not isinstance(value, str):
        raise InvalidArgumentError(f"Input {row + 1} is a {type(value).__name__}; it must be a text.")
    return check_text(value, row)

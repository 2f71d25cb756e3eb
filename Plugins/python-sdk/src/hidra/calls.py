"""How the client's requests are made: on which socket, in which parts, until when."""

from __future__ import annotations

import time
from typing import Any, Callable, Iterable, List, Mapping, Optional, Union

import numpy as np
from google.protobuf.message import Message

from .callbacks import Answering
from .errors import HidraError, InternalError, NotFoundError, UnsupportedError
from .progress import Report
from .results import Encoder, Head, Progress, Run
from .rows import LabelledRows, upload
from .session import Link, Session
from .v1 import calls_pb2, data_pb2, registry_pb2
from .wire import CONTROL_MESSAGE_BYTES, Reply


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
        calls: Optional[Answering] = None,
        timeout: Optional[float] = None,
        deadline: Optional[float] = None,
        link: Optional[Link] = None,
    ) -> Reply:
        """``calls``: answers what the daemon asks meanwhile. What it raises ends the request, and is raised here."""
        link = link or self._session.link()
        progress: Optional[Callable[[registry_pb2.Progress], None]] = None
        if report is not None:
            tell = report
            progress = lambda message: tell(Progress.of(message))  # noqa: E731
        answerer = _Answerer(link, calls) if calls is not None else None
        try:
            answer = link.connection.ask(
                kind, request, socket="work", limit=link.limits.message_bytes, tensors=tensors, progress=progress,
                calls=answerer, deadline=deadline if deadline is not None else self._deadline(timeout),
            )  # fmt: skip
        except HidraError as error:
            if answerer is not None and answerer.failure is not None:
                raise answerer.failure from error
            raise
        return _expect(answer, reply)

    def _require(self, capability: str, what: str) -> None:
        """A daemon that does not know a field ignores it, and would do something else than it was asked for."""
        link = self._session.link()
        if capability not in link.capabilities:
            raise UnsupportedError(
                f"hidrad {link.version} does not know {what}. Install a later one.", details={"capability": capability}
            )

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

    def _head(self, name: str) -> Head:
        record = self._record(name)
        if not isinstance(record, Head):
            raise NotFoundError(f"'{name}' is no head. heads() lists them.")
        return record

    def _upload(
        self, link: Link, rows: LabelledRows, deadline: Optional[float], sent: List[str], name: Optional[str] = None
    ) -> str:
        if rows.stored:
            return rows.stored

        def append(request: data_pb2.AppendRowsRequest) -> data_pb2.AppendRowsReply:
            if request.data not in sent:
                sent.append(request.data)
            answer = self._work("append_rows", request, "append_rows_reply", deadline=deadline, link=link)
            return answer.envelope.append_rows_reply

        return upload(rows, append, link.limits.message_bytes, link.limits.data_rows, name)


class _Answerer:
    """Answers the daemon's calls to one request, on the thread that waits for its reply."""

    def __init__(self, link: Link, answering: Answering) -> None:
        self._link = link
        self._answering = answering
        self.failure: Optional[Exception] = None

    def __call__(self, reply: Reply) -> None:
        if reply.envelope.WhichOneof("kind") != "call":
            return
        try:
            self._send(reply, *self._answering(reply))
        except Exception as error:
            # The daemon ends the request with this problem; then the error itself is raised.
            self.failure = error
            problem = calls_pb2.CallResult(problem=f"{type(error).__name__}: {error}"[:1000])
            self._send(reply, problem, {})

    def _send(self, reply: Reply, result: calls_pb2.CallResult, tensors: Mapping[str, Any]) -> None:
        result.request_id, result.call = reply.envelope.request_id, reply.envelope.call.call
        limit = self._link.limits.message_bytes
        self._link.connection.tell("call_result", result, socket="work", limit=limit, tensors=tensors)


def _expect(answer: Reply, kind: str) -> Reply:
    if answer.envelope.WhichOneof("kind") != kind:
        raise InternalError("hidrad answered with a message of the wrong kind. Are client and daemon of one version?")
    return answer


def drop(link: Link, sent: Iterable[str]) -> None:
    """Frees uploaded rows. What was made of them stays, and a training that runs has taken them already."""
    for name in sent:
        link.connection.tell("drop_rows", data_pb2.DropRowsRequest(data=name), socket="work")

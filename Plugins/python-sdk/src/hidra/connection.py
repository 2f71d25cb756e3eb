"""The connection of a client to its daemon. One thread owns the sockets and all state; others talk to it by a queue."""

from __future__ import annotations

import itertools
import os
import queue
import threading
from contextlib import closing
from functools import partial as bound
from typing import Any, Callable, Generator, List, Mapping, Optional, Union

import numpy as np
import zmq
from google.protobuf.message import Message

from . import wire
from .errors import HidraError, InternalError, UnavailableError
from .events import EventFeed, EventStream
from .requests import Call, Outcome
from .sockets import ConnectionBody, Failure
from .v1 import envelope_pb2 as pb
from .v1 import registry_pb2 as registry

_Command = Callable[[Union[ConnectionBody, "_Refusal"]], None]


class Connection:
    """As the threads that use it see it. A lost connection stays lost: make another.

    ``silence``: seconds the daemon may owe a sign of life before the open requests fail.
    """

    def __init__(self, directory: str, silence: float) -> None:
        self.directory = directory
        self._process = os.getpid()
        self._ids = itertools.count(1)
        self._commands: queue.SimpleQueue[_Command] = queue.SimpleQueue()
        # Guards the pipe's ends against being closed while somebody writes. Finalisers may come in between: an RLock.
        self._wake_lock = threading.RLock()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._end: Optional[Failure] = None
        self._thread = threading.Thread(target=self._run, args=(silence,), name="hidra-client", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        return self._end is not None

    def ask(
        self,
        kind: str,
        message: Message,
        *,
        socket: str,
        limit: int,
        tensors: Optional[Mapping[str, np.ndarray[Any, Any]]] = None,
        progress: Optional[Callable[[registry.Progress], None]] = None,
        calls: Optional[Callable[[wire.Reply], None]] = None,
        deadline: Optional[float] = None,
    ) -> wire.Reply:
        """Sends a request and waits for its last reply. ``progress``, and ``calls`` with all other partial replies, run on
        the calling thread.

        Whatever ends the waiting early (Ctrl-C, an exception in ``progress``) cancels the request at the daemon.
        """
        with closing(
            self.replies(
                kind, message, socket=socket, limit=limit, tensors=tensors, progress=progress, partial=calls is not None,
                deadline=deadline,
            )
        ) as replies:  # fmt: skip
            for reply in replies:
                if calls is None or reply.envelope.part != pb.PART_PARTIAL:
                    return reply
                calls(reply)
        raise InternalError("A request ended without a reply.")

    def replies(
        self,
        kind: str,
        message: Message,
        *,
        socket: str,
        limit: int,
        tensors: Optional[Mapping[str, np.ndarray[Any, Any]]] = None,
        progress: Optional[Callable[[registry.Progress], None]] = None,
        partial: bool = True,
        deadline: Optional[float] = None,
    ) -> Generator[wire.Reply, None, None]:
        """Sends a request, and gives its replies as they come, the last one last; without ``partial`` that one alone.

        Leaving early, by ``close`` or whatever else ends the waiting, cancels the request at the daemon.
        """
        id = next(self._ids)
        frames = wire.encode(id, kind, message, tensors or {}, limit)
        inbox: queue.SimpleQueue[Union[Outcome, registry.Progress]] = queue.SimpleQueue()
        call = Call(id, inbox.put, inbox.put if progress else None, deadline, inbox.put if partial else None)
        is_over = False
        try:
            self._post(lambda body: body.open(call, socket, frames), call)
            while not is_over:
                item = inbox.get()
                if isinstance(item, registry.Progress):
                    assert progress is not None
                    progress(item)
                elif isinstance(item, HidraError):
                    is_over = True
                    raise item
                else:
                    is_over = item.envelope.part != pb.PART_PARTIAL
                    yield item
        finally:
            if not is_over:
                self._post(lambda body: body.cancel(id))

    def tell(
        self, kind: str, message: Message, *, socket: str, limit: int = wire.CONTROL_MESSAGE_BYTES,
        tensors: Optional[Mapping[str, np.ndarray[Any, Any]]] = None,
    ) -> None:  # fmt: skip
        """Sends what has no reply, or one that nobody waits for."""
        frames = wire.encode(next(self._ids), kind, message, tensors or {}, limit)
        self._post(lambda body: body.send(socket, frames))

    def events(self, start: Optional[int], owner: object) -> EventStream:
        """``owner`` lives as long as the stream."""
        feed = EventFeed(start)
        self._post(lambda body: body.add_feed(feed))
        return EventStream(self, feed, owner)

    def remove_feed(self, feed: EventFeed) -> None:
        self._post(lambda body: body.remove_feed(feed))

    def set_heartbeat(self, seconds: float) -> None:
        self._post(lambda body: body.set_heartbeat(seconds))

    def begin_closing(self, patience: float = 0.5) -> None:
        """Says goodbye and closes; open requests fail. Does not wait. ``patience``: for what is still to be sent."""
        self._post(lambda body: body.close(patience))

    def close(self, patience: float = 0.5) -> None:
        """The same, and waits until the sockets are gone."""
        self.begin_closing(patience)
        if self._process == os.getpid() and threading.current_thread() is not self._thread:
            self._thread.join(patience + 2)

    def _post(self, command: _Command, call: Optional[Call] = None) -> None:
        if self._process != os.getpid():
            # The thread stayed in the parent process, and the pipe is the parent's.
            if call is not None:
                call.finish(UnavailableError("This connection belongs to the parent process. Connect again."))
            return
        self._commands.put(command)
        if self._end is not None:
            return self._refuse(self._end)
        with self._wake_lock:
            if self._wake_write >= 0:
                try:
                    os.write(self._wake_write, b"\0")
                except BlockingIOError:
                    pass  # It is full of calls to wake up.

    def _run(self, silence: float) -> None:
        end: Failure = bound(InternalError, "The client's thread failed; it has printed why.")
        try:
            # Its own: a context that is shared would have to outlive the client, and this one dies with the thread.
            with zmq.Context() as context:
                body = ConnectionBody(context, self.directory, self._wake_read, silence)
                try:
                    end = body.loop(self._adopt)
                finally:
                    # First: whoever is told that the connection is over may ask for another at once.
                    self._end = end
                    body.close_sockets(end)
        except (zmq.ZMQError, OSError) as error:
            end = bound(InternalError, f"The connection to hidrad failed: {error}.")
        finally:
            self._end = end
            self._refuse(end)
            with self._wake_lock:
                os.close(self._wake_read)
                os.close(self._wake_write)
                self._wake_write = -1

    def _adopt(self, body: ConnectionBody) -> None:
        for command in self._posted():
            command(body)

    def _refuse(self, end: Failure) -> None:
        """Ends what was posted too late."""
        refusal = _Refusal(end)
        for command in self._posted():
            command(refusal)

    def _posted(self) -> List[_Command]:
        commands: List[_Command] = []
        while True:
            try:
                commands.append(self._commands.get_nowait())
            except queue.Empty:
                return commands


class _Refusal:
    """Stands where the connection's body was."""

    def __init__(self, end: Failure) -> None:
        self._end = end

    def open(self, call: Call, socket: str, frames: List[bytes]) -> None:
        call.finish(self._end())

    def add_feed(self, feed: EventFeed) -> None:
        feed.end(self._end())

    def send(self, socket: str, frames: List[bytes]) -> None: ...

    def cancel(self, id: int) -> None: ...

    def remove_feed(self, feed: EventFeed) -> None: ...

    def set_heartbeat(self, seconds: float) -> None: ...

    def close(self, patience: float) -> None: ...

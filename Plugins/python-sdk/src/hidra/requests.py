"""The open requests of a connection: a state machine without threads or clocks of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Set, Union

from .errors import HidraError, HidraTimeoutError, make_error
from .v1 import envelope_pb2 as pb
from .v1 import registry_pb2 as registry
from .wire import Reply

Outcome = Union[Reply, HidraError]


@dataclass
class Call:
    """A request under way. ``finish`` is called exactly once, by whoever takes it out of the table."""

    id: int
    finish: Callable[[Outcome], None]
    progress: Optional[Callable[[registry.Progress], None]] = None
    deadline: Optional[float] = None
    # Gets what the daemon asks the client to do for it meanwhile: messages of kind `call`.
    calls: Optional[Callable[[Reply], None]] = None


class RequestTable:
    """Each call leaves it once: by a reply, a cancellation, its deadline, silence, or ``fail_all``."""

    def __init__(self, silence: float) -> None:
        self._silence = silence
        self._open: Dict[int, Call] = {}
        # Given up here, while the daemon may still work on it.
        self._abandoned: Set[int] = set()
        # When the first message was sent after the last one was heard: the daemon owes a sign of life since.
        self._silent_since: Optional[float] = None

    def __len__(self) -> int:
        return len(self._open)

    def open(self, call: Call) -> None:
        self._open[call.id] = call

    def cancel(self, id: int) -> bool:
        """Whether the request was open: then the daemon is to be told."""
        if self._open.pop(id, None) is None:
            return False
        self._abandon(id)
        return True

    def sent(self, now: float) -> None:
        if self._silent_since is None:
            self._silent_since = now

    def receive(self, reply: Reply) -> Optional[int]:
        """Takes a message. Returns the id of a request to cancel again: its first cancellation came too early."""
        self._silent_since = None
        id = reply.envelope.request_id
        is_partial = reply.envelope.part == pb.PART_PARTIAL
        call = self._open.get(id)
        if call is None:
            if id in self._abandoned:
                self._abandoned.discard(id)
                return id if is_partial else None
            return None
        kind = reply.envelope.WhichOneof("kind")
        if is_partial:
            if kind == "progress" and call.progress is not None:
                call.progress(reply.envelope.progress)
            elif call.calls is not None and kind not in ("progress", "error"):
                call.calls(reply)
            return None
        del self._open[id]
        if kind == "error":
            error = reply.envelope.error
            call.finish(make_error(error.code, error.message, error.details))
        else:
            call.finish(reply)
        return None

    def expire(self, now: float) -> List[int]:
        """Fails what has waited too long. Returns the ids of those that a living daemon is to be told of."""
        if self._silent_since is not None and now - self._silent_since > self._silence:
            self.fail_all(
                lambda: HidraTimeoutError(
                    f"hidrad has not answered for {self._silence:g} s. Is it stopped or overloaded? `hidra status` asks "
                    "again; its log is hidrad.log in the home directory."
                )
            )
            # The next request gets its full time.
            self._silent_since = None
            return []
        late = [call for call in self._open.values() if call.deadline is not None and call.deadline <= now]
        for call in late:
            del self._open[call.id]
            self._abandon(call.id)
            call.finish(
                HidraTimeoutError(
                    "The request took longer than it was given and was cancelled. Allow it more time with timeout=."
                )
            )
        return [call.id for call in late]

    def next_expiry(self) -> Optional[float]:
        """When ``expire`` may have something to do."""
        times = [call.deadline for call in self._open.values() if call.deadline is not None]
        if self._open and self._silent_since is not None:
            times.append(self._silent_since + self._silence + 0.001)
        return min(times, default=None)

    def fail_all(self, error: Callable[[], HidraError]) -> None:
        """The connection is over, or silent. Each call gets an exception of its own."""
        calls, self._open = list(self._open.values()), {}
        for call in calls:
            call.finish(error())

    def _abandon(self, id: int) -> None:
        # A daemon that never answers cancelled requests must not make this grow for ever.
        if len(self._abandoned) >= 1024:
            self._abandoned.clear()
        self._abandoned.add(id)

"""What happens in the daemon, in order and without gaps: section 8 of ``proto/README.md``."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import TYPE_CHECKING, Dict, Iterator, List, Optional, Tuple, Union

from .errors import HidraError, LimitExceededError
from .v1 import events_pb2 as pb

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Type

    from .connection import Connection


@dataclass(frozen=True)
class Event:
    """Something that happened. ``sequence`` counts from 1 without gaps within one ``epoch``, a daemon's lifetime."""

    sequence: int
    time: float
    name: str
    subject: str
    values: Dict[str, str]
    epoch: str

    @classmethod
    def of(cls, event: pb.Event) -> Event:
        return cls(event.sequence, event.time, event.name, event.subject, dict(event.values), event.epoch)


class EventSequencer:
    """Orders one subscriber's events: a state machine.

    The events socket drops messages for subscribers that are behind. Sequence numbers show it, and a replay of what is
    missing is asked for; until that comes, later events are held. Every step returns the events to deliver, and the
    number to ask a replay from, or None.
    """

    Step = Tuple[List[pb.Event], Optional[int]]

    def __init__(self, start: Optional[int]) -> None:
        """``start``: first number wanted, 0 for all there are; None: only what happens from now on."""
        self._start = start
        self._phase = "starting"
        self._expected = start or None
        self._held: List[pb.Event] = []

    def subscribed(self) -> Step:
        if self._phase != "starting":
            return [], None
        if self._start is not None:
            self._phase = "replaying"
            return [], self._start
        self._phase = "live"
        return self._release()

    def receive(self, event: pb.Event) -> Step:
        self._held.append(event)
        if self._phase == "live":
            return self._release()
        # Without a start in the past there is nothing to wait for.
        if self._phase == "starting" and self._start is None:
            return self._release(ask=False)
        return [], None

    def replayed(self, events: List[pb.Event]) -> Step:
        """What the daemon still has of those asked for. Those it no longer has are passed over."""
        self._phase = "live"
        if not events and self._start is not None and not self._held:
            # Nothing there yet, or the numbers were those of an earlier daemon.
            self._expected = None
        self._held += events
        return self._release(ask=False)

    def _release(self, ask: bool = True) -> Step:
        deliver: List[pb.Event] = []
        self._held.sort(key=lambda event: event.sequence)
        for index, event in enumerate(self._held):
            expected = self._expected or event.sequence
            if event.sequence < expected:
                continue
            if event.sequence > expected and ask:
                self._held = self._held[index:]
                self._phase = "replaying"
                return deliver, expected
            deliver.append(event)
            self._expected = event.sequence + 1
        self._held = []
        return deliver, None


class EventFeed:
    """One subscriber, as the connection's thread sees it."""

    CAPACITY = 65_536

    def __init__(self, start: Optional[int]) -> None:
        self.sequencer = EventSequencer(start)
        self.is_started = False
        self.is_over = False
        self.queue: queue.SimpleQueue[Union[pb.Event, HidraError, None]] = queue.SimpleQueue()

    def deliver(self, events: List[pb.Event]) -> None:
        for event in events:
            if self.is_over:
                return
            if self.queue.qsize() >= self.CAPACITY:
                self.end(
                    LimitExceededError(
                        f"More than {self.CAPACITY} events were left unread. Continue with "
                        f"events(start={event.sequence})."
                    )
                )
                return
            self.queue.put(event)

    def end(self, error: Optional[HidraError]) -> None:
        """None: the client was closed, and the events just end."""
        if not self.is_over:
            self.is_over = True
            self.queue.put(error)


class EventStream(Iterator[Event]):
    """Iterates over events as they happen; close it, or use it in a ``with``, to stop.

    Ends when the client is closed, and raises ``UnavailableError`` when the connection is lost.
    """

    def __init__(self, connection: Connection, feed: EventFeed, owner: object) -> None:
        self._connection = connection
        # A client that is forgotten closes; while its events are read it is not.
        self._owner = owner
        self._feed = feed
        self._end: Union[HidraError, None, bool] = False

    def __next__(self) -> Event:
        event = self._next(None)
        assert event is not None
        return event

    def get(self, timeout: Optional[float] = None) -> Optional[Event]:
        """The next event, or None when there is none in ``timeout`` seconds. ``StopIteration`` at the end."""
        return self._next(timeout)

    def _next(self, timeout: Optional[float]) -> Optional[Event]:
        if self._end is not False:
            raise StopIteration if self._end is None or self._end is True else self._end
        try:
            item = self._feed.queue.get(timeout=timeout)
        except queue.Empty:
            return None
        if isinstance(item, pb.Event):
            return Event.of(item)
        self._end = item
        raise StopIteration if item is None else item

    def close(self) -> None:
        if self._end is False:
            self._end = True
            self._connection.remove_feed(self._feed)

    def __enter__(self) -> EventStream:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

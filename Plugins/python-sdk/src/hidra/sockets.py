"""What a connection's thread owns: its sockets, its open requests, and what waits to be sent. Never leaves the thread."""

from __future__ import annotations

import math
import os
import secrets
import time
from collections import deque
from functools import partial
from typing import Callable, Deque, Dict, List, Optional

import zmq
from google.protobuf.message import Message
from zmq.utils.monitor import recv_monitor_message

from . import remote, wire
from .errors import CancelledError, HidraError, InternalError, PermissionDeniedError, UnavailableError, make_error
from .events import EventFeed, EventSequencer
from .requests import Call, Outcome, RequestTable
from .v1 import control_pb2, events_pb2

Failure = Callable[[], HidraError]
"""Makes the exception that everything open fails with: each gets one of its own, with a traceback of its own."""

LARGEST_FRAME = 256 << 20
"""A larger one from the daemon ends the connection, whatever it announces."""

_LOST = (
    zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)  # fmt: skip

_CLOSED: Failure = partial(CancelledError, "The client was closed before the daemon had answered.")


class ConnectionBody:
    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], directory: str, wake: int, silence: float) -> None:
        self._directory = directory
        self._wake = wake
        self._requests = RequestTable(silence)
        self._unsent: Dict[str, Deque[List[bytes]]] = {"control": deque(), "work": deque()}
        self._heartbeat = 5.0
        self._next_heartbeat = time.monotonic() + self._heartbeat
        self._last_own_id = 1 << 63
        self._closing: Optional[float] = None
        self._is_connected = False
        self._is_refused = False
        self._feeds: List[EventFeed] = []
        self._is_subscribing = False
        self._is_subscribed = False

        # The same for both sockets, so that the daemon knows them as one client. Zero begins libzmq's own ids.
        identity = bytes([secrets.randbelow(255) + 1]) + secrets.token_bytes(15)
        self._sync_topic = b"sync/" + secrets.token_hex(16).encode()
        self._dealers = {name: context.socket(zmq.DEALER) for name in ("control", "work")}
        self._events = context.socket(zmq.SUB)
        self._events.setsockopt(zmq.MAXMSGSIZE, wire.CONTROL_MESSAGE_BYTES)
        self._events.setsockopt(zmq.LINGER, 0)
        self._poller = zmq.Poller()
        self._poller.register(wake, zmq.POLLIN)
        self._monitors = {}
        for name, dealer in self._dealers.items():
            dealer.setsockopt(zmq.ROUTING_ID, identity)
            dealer.setsockopt(zmq.MAXMSGSIZE, LARGEST_FRAME)
            # A daemon that comes back knows nothing of our requests: a lost connection is closed long before this.
            dealer.setsockopt(zmq.RECONNECT_IVL, 600_000)
            dealer.setsockopt(zmq.LINGER, 200)
            self._monitors[name] = dealer.get_monitor_socket()
            remote.connect(dealer, directory, name)
        for socket in (*self._dealers.values(), *self._monitors.values(), self._events):
            self._poller.register(socket, zmq.POLLIN)

    # What other threads ask for, run on this one.

    def open(self, call: Call, socket: str, frames: List[bytes]) -> None:
        if self._closing is not None:
            call.finish(_CLOSED())
            return
        self._requests.open(call)
        self.send(socket, frames)

    def cancel(self, id: int) -> None:
        if self._requests.cancel(id):
            self._send_cancellation(id)

    def send(self, socket: str, frames: List[bytes]) -> None:
        if self._closing is None:
            self._unsent[socket].append(frames)
            self._requests.sent(time.monotonic())

    def add_feed(self, feed: EventFeed) -> None:
        if self._closing is not None:
            feed.end(None)
            return
        self._feeds.append(feed)
        if not self._is_subscribing:
            self._is_subscribing = True
            # In this order: the answer to the second shows that the first is in effect.
            self._events.setsockopt(zmq.SUBSCRIBE, b"events")
            self._events.setsockopt(zmq.SUBSCRIBE, self._sync_topic)
            remote.connect(self._events, self._directory, "events")
        elif self._is_subscribed:
            self._start_feeds()

    def remove_feed(self, feed: EventFeed) -> None:
        if feed in self._feeds:
            self._feeds.remove(feed)

    def set_heartbeat(self, seconds: float) -> None:
        self._heartbeat = seconds
        self._next_heartbeat = min(self._next_heartbeat, time.monotonic() + seconds)

    def close(self, patience: float) -> None:
        if self._closing is None:
            goodbye = control_pb2.Goodbye(reason="closed by the client")
            self.send("control", self._own("goodbye", goodbye))
            self._closing = time.monotonic() + patience
            # Feeds first: a replay that was still open is no fault of theirs, they just end.
            self._end_feeds(None)
            self._requests.fail_all(_CLOSED)

    # The thread's work.

    def loop(self, adopt: Callable[[ConnectionBody], None]) -> Failure:
        """Runs until the connection is closed or lost; returns what later requests fail with.

        ``adopt``: runs what other threads have asked for since.
        """
        while True:
            adopt(self)
            self._flush()
            if self._closing is not None and (not any(self._unsent.values()) or self._closing <= time.monotonic()):
                return _CLOSED
            ready = dict(self._poller.poll(self._timeout()))
            if self._wake in ready:
                self._drain_wake()
            farewell = self._read()
            if self._is_lost():
                # What the daemon sent before it went may explain why.
                return self._read() or farewell or self._gone()
            if farewell is not None:
                return farewell
            now = time.monotonic()
            if self._next_heartbeat <= now:
                self._beat(now)
            for id in self._requests.expire(now):
                self._send_cancellation(id)

    def close_sockets(self, end: Failure) -> None:
        """Last: fails what is open, and closes."""
        self._requests.fail_all(end)
        self._end_feeds(end())
        for name, dealer in self._dealers.items():
            dealer.disable_monitor()
            self._monitors[name].close()
            # Nobody was ever there to send to: no need to wait for what lies in the queues.
            dealer.close(linger=None if self._is_connected else 0)
        self._events.close()

    def _timeout(self) -> int:
        times = [self._next_heartbeat]
        if self._closing is not None:
            times.append(self._closing)
        expiry = self._requests.next_expiry()
        if expiry is not None:
            times.append(expiry)
        return max(0, math.ceil((min(times) - time.monotonic()) * 1000))

    def _drain_wake(self) -> None:
        try:
            while os.read(self._wake, 4096):
                pass
        except BlockingIOError:
            pass

    def _flush(self) -> None:
        for name, messages in self._unsent.items():
            dealer = self._dealers[name]
            try:
                while messages:
                    dealer.send_multipart(messages[0], zmq.NOBLOCK)
                    messages.popleft()
            except zmq.Again:
                pass
            self._poller.modify(dealer, zmq.POLLIN | zmq.POLLOUT if messages else zmq.POLLIN)

    def _beat(self, now: float) -> None:
        self._next_heartbeat = now + self._heartbeat
        # One at a time: a daemon that does not read gets no more of them.
        if not self._unsent["control"]:
            self.send("control", self._own("heartbeat", control_pb2.Heartbeat()))

    def _send_cancellation(self, id: int) -> None:
        self.send("control", self._own("cancel", control_pb2.CancelRequest(open_request_id=id)))

    def _own(self, kind: str, message: Message) -> List[bytes]:
        # Ids that no caller gets: theirs count from 1.
        self._last_own_id += 1
        return wire.encode(self._last_own_id, kind, message, {}, wire.CONTROL_MESSAGE_BYTES)

    def _read(self) -> Optional[Failure]:
        farewell: Optional[Failure] = None
        for dealer in self._dealers.values():
            for frames in _received(dealer):
                farewell = self._receive(frames) or farewell
        for frames in _received(self._events):
            if frames[0] == self._sync_topic:
                self._is_subscribed = True
                self._start_feeds()
            elif frames[0] == b"events":
                self._receive_event(frames[1:])
        return farewell

    def _receive(self, frames: List[bytes]) -> Optional[Failure]:
        try:
            reply = wire.decode(frames)
        except InternalError as error:
            # Whose reply it was nobody knows, so all that is open would wait in vain.
            return partial(InternalError, error.message)
        if reply.envelope.request_id == 0:
            kind = reply.envelope.WhichOneof("kind")
            if kind == "goodbye":
                reason = reply.envelope.goodbye.reason
                return partial(UnavailableError, f"hidrad closed the connection: {reason}")
            if kind == "error":
                sent = reply.envelope.error
                return partial(make_error, sent.code, sent.message, dict(sent.details))
        again = self._requests.receive(reply)
        if again is not None:
            self._send_cancellation(again)
        return None

    def _is_lost(self) -> bool:
        is_lost = False
        for name, monitor in self._monitors.items():
            while monitor.poll(0):
                event = recv_monitor_message(monitor)["event"]
                is_lost = is_lost or bool(event & _LOST)
                if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                    self._is_refused = True
                if event == zmq.EVENT_HANDSHAKE_SUCCEEDED and name == "control":
                    self._is_connected = True
        return is_lost

    def _gone(self) -> Failure:
        if self._is_refused:
            return partial(
                PermissionDeniedError,
                f"hidrad at {self._directory} does not admit this key: it was revoked, or is another daemon's. Ask who runs "
                "it for a new one.",
            )
        if self._is_connected and isinstance(self._directory, remote.RemoteEndpoint):
            return partial(
                UnavailableError,
                f"The connection to hidrad at {self._directory} is lost: it stopped, the network failed, or the key was "
                "revoked.",
            )
        if self._is_connected:
            return partial(
                UnavailableError,
                "hidrad is gone: it stopped or crashed while the connection was open. Its log is hidrad.log in the "
                "home directory; the next request starts it again.",
            )
        return partial(UnavailableError, f"No hidrad listens at {self._directory}.")

    # Events.

    def _start_feeds(self) -> None:
        for feed in list(self._feeds):
            if not feed.is_started:
                feed.is_started = True
                self._step(feed, feed.sequencer.subscribed())

    def _receive_event(self, frames: List[bytes]) -> None:
        try:
            reply = wire.decode(frames)
        except InternalError:
            # Its sequence number is missing now: the next event shows the gap, and a replay fills it.
            return
        if reply.envelope.WhichOneof("kind") == "event":
            for feed in list(self._feeds):
                self._step(feed, feed.sequencer.receive(reply.envelope.event))

    def _step(self, feed: EventFeed, step: EventSequencer.Step) -> None:
        events, replay_from = step
        feed.deliver(events)
        if feed.is_over:
            self.remove_feed(feed)
        elif replay_from is not None:
            frames = self._own("replay", events_pb2.ReplayRequest(from_sequence=replay_from))
            self.open(Call(self._last_own_id, partial(self._replayed, feed)), "control", frames)

    def _replayed(self, feed: EventFeed, outcome: Outcome) -> None:
        if feed not in self._feeds:
            return
        if isinstance(outcome, HidraError):
            feed.end(outcome)
            self.remove_feed(feed)
        else:
            self._step(feed, feed.sequencer.replayed(list(outcome.envelope.replay_reply.events)))

    def _end_feeds(self, error: Optional[HidraError]) -> None:
        feeds, self._feeds = self._feeds, []
        for feed in feeds:
            feed.end(error)


def _received(socket: zmq.Socket[bytes]) -> List[List[bytes]]:
    """All messages that are there."""
    messages: List[List[bytes]] = []
    while True:
        try:
            messages.append(socket.recv_multipart(zmq.NOBLOCK))
        except zmq.Again:
            return messages

"""Finds the daemon, starts it when it does not run, and stays connected: sections 1 and 3 of ``proto/README.md``."""

from __future__ import annotations

import os
import re
import threading
import time
from dataclasses import dataclass
from typing import FrozenSet, Optional

from .connection import Connection
from .daemon import ALREADY_RUNNING, DaemonProcess, find_daemon
from .errors import CancelledError, HidraError, HidraTimeoutError, IncompatibleVersionError, UnavailableError
from .home import check_directory, home_path, log_path, socket_directory, sockets_are_bound
from .remote import RemoteEndpoint
from .v1 import control_pb2 as pb
from .wire import CONTROL_MESSAGE_BYTES, MESSAGE_BYTES

PROTOCOL = 1
CAPABILITIES = ("calls",)
"""What the daemon may ask of a client that says so: here, `call`."""
PLUGIN_HEARTBEAT = 10
"""Seconds; a plugin promises not to be silent for longer, so that one that is stopped or stuck is noticed."""


@dataclass(frozen=True)
class Limits:
    """What the daemon takes."""

    message_bytes: int
    data_rows: int
    texts_per_request: int
    # Of a prediction whose answers are streamed.
    texts_per_stream: int

    @classmethod
    def of(cls, m: pb.Limits) -> Limits:
        # 0: it did not say.
        per_request = m.texts_per_request or 4096
        # A daemon that does not say it does not stream.
        return cls(m.message_bytes or MESSAGE_BYTES, m.data_rows or 5_000_000, per_request, m.texts_per_stream or per_request)


@dataclass(frozen=True)
class Link:
    """A connection that was greeted."""

    connection: Connection
    limits: Limits
    version: str
    capabilities: FrozenSet[str] = frozenset()
    is_plugin: bool = False


class Session:
    """Gives out the link to the daemon; when it was lost, makes another."""

    def __init__(
        self, home: Optional[str], directory: Optional[str], name: str, start: bool, connect_timeout: float, silence: float,
        heartbeat: int = 0,
    ) -> None:  # fmt: skip
        self._home = home
        self._directory = directory
        # Of the command line, so it may hold bytes that are no text.
        self._name = name.encode("utf-8", "replace").decode()
        self._start = start and home is not None
        self._connect_timeout = connect_timeout
        self._silence = silence
        self._heartbeat = heartbeat
        self._link: Optional[Link] = None
        self._is_closed = False
        self._lock = threading.RLock()
        self._process = os.getpid()

    def link(self) -> Link:
        if self._process != os.getpid():
            # After a fork: the connection is the parent's, and so is whoever holds the lock.
            self._process, self._link, self._lock = os.getpid(), None, threading.RLock()
        with self._lock:
            if self._is_closed:
                raise CancelledError("The client is closed. Make another.")
            if self.is_dismissed:
                raise UnavailableError("The daemon that ran this plugin has said goodbye, or is gone.")
            if self._link is None or self._link.connection.is_over:
                self._link = self._connect()
                if self._is_closed:
                    # Meanwhile, by another thread.
                    self.close()
            return self._link or self.link()

    @property
    def is_closed(self) -> bool:
        """There will be no link any more."""
        return self._is_closed or self.is_dismissed

    @property
    def is_dismissed(self) -> bool:
        """A plugin whose daemon has ended the connection does not come back: the daemon starts another."""
        link = self._link
        return link is not None and link.is_plugin and link.connection.is_over

    def close(self) -> None:
        self._is_closed = True
        link, self._link = self._link, None
        if link is not None and self._process == os.getpid():
            link.connection.close()

    def _connect(self) -> Link:
        deadline = time.monotonic() + self._connect_timeout
        try:
            return self._greet(deadline)
        except UnavailableError:
            if not self._start:
                raise
        assert self._home is not None
        executable = find_daemon()
        process, started = DaemonProcess(self._home, executable), time.monotonic()
        while True:
            time.sleep(0.005)
            status = process.exit_status
            # An attempt while only some of its sockets are bound would wait for the others in vain.
            if status is None and not sockets_are_bound(self._sockets()) and time.monotonic() < deadline:
                continue
            try:
                return self._greet(deadline)
            except UnavailableError:
                if status is not None and status != ALREADY_RUNNING:
                    raise self._failed(process, "stopped at once") from None
                if time.monotonic() >= deadline:
                    raise self._failed(process, "did not answer in time") from None
                if status == ALREADY_RUNNING and time.monotonic() > started + 0.2:
                    # It lost against another: one that starts, and will answer, or one that stops, and needs a successor.
                    process, started = DaemonProcess(self._home, executable), time.monotonic()

    def _sockets(self) -> str:
        if self._directory is not None:
            return self._directory
        assert self._home is not None
        return socket_directory(self._home)

    def _greet(self, deadline: float) -> Link:
        """One attempt: sockets, Hello, Welcome."""
        directory = self._sockets()
        if not isinstance(directory, RemoteEndpoint) and not check_directory(directory):
            raise UnavailableError(f"No hidrad runs for {self._home or directory}. Start it with `hidra start`.")
        connection = Connection(directory, self._silence)
        try:
            hello = pb.Hello(
                protocol_min=PROTOCOL, protocol_max=PROTOCOL, client=self._name, heartbeat_seconds=self._heartbeat,
                capabilities=CAPABILITIES,
            )  # fmt: skip
            token = os.environ.get("HIDRA_PLUGIN_TOKEN")
            if token and self._home == home_path():
                # A plugin that this daemon has started.
                hello.plugin_token, hello.heartbeat_seconds = token, self._heartbeat or PLUGIN_HEARTBEAT
            reply = connection.ask("hello", hello, socket="control", limit=CONTROL_MESSAGE_BYTES, deadline=deadline)
            if reply.envelope.WhichOneof("kind") != "welcome":
                raise HidraError("hidrad answered with a message of the wrong kind. Are both of one version?")
            welcome = reply.envelope.welcome
            if welcome.protocol != PROTOCOL:
                raise IncompatibleVersionError(
                    f"hidrad {welcome.daemon_version} speaks protocol {welcome.protocol_min} to {welcome.protocol_max}, "
                    f"this program {PROTOCOL}. Stop it with `hidra stop` and install one version of both.",
                    details={"daemon_version": welcome.daemon_version},
                )
        except BaseException as error:
            # Nobody has greeted us, so nobody waits for a goodbye.
            connection.close(0)
            if isinstance(error, HidraTimeoutError):
                raise HidraTimeoutError(
                    f"hidrad{_process_of(self._home)} listens but did not answer in time. If it stays so, end that "
                    "process; the next request starts another."
                ) from error
            raise
        # Half of what the daemon allows, and of what it was promised, so that one late heartbeat does no harm.
        waits = [seconds / 2 for seconds in (welcome.heartbeat_seconds, hello.heartbeat_seconds) if seconds > 0]
        if waits:
            connection.set_heartbeat(min(*waits, self._silence / 3))
        return Link(
            connection, Limits.of(welcome.limits), welcome.daemon_version, frozenset(welcome.capabilities),
            bool(hello.plugin_token),
        )  # fmt: skip

    def _failed(self, process: DaemonProcess, what: str) -> UnavailableError:
        assert self._home is not None
        tail = process.log_tail()
        return UnavailableError(
            f"{process.executable} was started but {what}" + (f":\n{tail}" if tail else " and printed nothing."),
            details={"log": log_path(self._home)},
        )


def _process_of(home: Optional[str]) -> str:
    try:
        with open(f"{home}/daemon.lock", encoding="utf-8", errors="replace") as record:
            match = re.match(r"[0-9]+", record.read(16))
    except OSError:
        match = None
    return f" (process {match[0]})" if match else ""

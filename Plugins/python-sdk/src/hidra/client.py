"""The client: what a program does with a daemon."""

from __future__ import annotations

import os
import sys
import weakref
from functools import partial
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple, TypeVar, Union, overload

import numpy as np

from .attaching import Attaching
from .errors import InvalidArgumentError
from .events import Event, EventStream
from .heads import HeadLike, graph_bytes
from .home import PathLike, home_path
from .keys import Keys
from .plugins import Plugins
from .progress import Wish, reporting
from .remote import RemoteEndpoint
from .results import Encoder, GraphReport, Head, Run, Status
from .session import Session
from .uploads import Uploads
from .v1 import control_pb2, events_pb2, graph_pb2, registry_pb2, work_pb2

Self = TypeVar("Self", bound="Client")


class Client(Attaching, Uploads, Plugins, Keys):
    """A connection to ``hidrad``, for any number of threads and requests at a time.

        with hidra.Client() as client:
            client.predict("intent", ["my card has not arrived"])

    Finds the daemon of ``home`` (by default ``$HIDRA_HOME``, else ``~/.local/share/hidra``) and starts it when none runs
    and ``start`` is true. Ctrl-C during a request cancels it at the daemon. When the daemon goes away, requests under way
    raise ``UnavailableError``; the next one connects anew. All failures are ``HidraError``\\ s.

    ``timeout``: seconds a request may take in all; None: as long as the daemon shows signs of life. Every method that
    works long takes its own. ``silence``: how long the daemon may owe a sign of life. ``endpoint``: the directory of the
    sockets of a daemon that runs already, instead of a home. ``name``: of this program, for ``hidra ps``. ``heartbeat``:
    seconds; a promise to be silent no longer: the daemon takes a client for lost that was silent for three times as long.

    ``key``: of a daemon on another machine, the file that ``hidra keys new -o`` writes; ``server``: its ``tcp://HOST:PORT``, where
    the key does not say so. Without ``home`` and ``endpoint`` they default to ``HIDRA_KEY`` and ``HIDRA_SERVER``.
    """

    def __init__(
        self,
        home: Optional[PathLike] = None,
        endpoint: Optional[PathLike] = None,
        timeout: Optional[float] = None,
        *,
        start: bool = True,
        name: Optional[str] = None,
        connect_timeout: float = 10.0,
        silence: float = 30.0,
        heartbeat: int = 0,
        server: Optional[str] = None,
        key: Optional[PathLike] = None,
    ) -> None:
        if home is not None and endpoint is not None:
            raise InvalidArgumentError("Give a home or an endpoint, not both.")
        directory = os.fspath(endpoint) if endpoint is not None else None
        if directory is not None and directory.startswith("ipc://"):
            directory = directory[6:]
        if (server or key) and (home is not None or endpoint is not None):
            raise InvalidArgumentError("Give a key and a server, or a home or an endpoint, not both.")
        if home is None and directory is None:
            directory = RemoteEndpoint.named(server, key)
        self.home: Optional[str] = home_path(home) if directory is None else None
        self._place = self.home or directory
        self._options: Dict[str, Any] = dict(
            home=self.home, endpoint=None if isinstance(directory, RemoteEndpoint) else directory, timeout=timeout, start=start, name=name,
            connect_timeout=connect_timeout, silence=silence, heartbeat=heartbeat, server=server, key=key,
        )  # fmt: skip
        from . import __version__

        program = name or f"{os.path.basename(sys.argv[0] or 'python')} (hidra-python {__version__})"
        super().__init__(Session(self.home, directory, program, start, connect_timeout, silence, heartbeat), timeout)
        # Says goodbye when the client is forgotten, and when the program ends.
        self._finalizer = weakref.finalize(self, Session.close, self._session)
        self._session.link()

    def close(self) -> None:
        """Says goodbye. Requests still open, in other threads, fail with ``CancelledError``."""
        self._finalizer()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __reduce__(self) -> Tuple[Any, ...]:
        return partial(Client, **self._options), ()

    def __repr__(self) -> str:
        return f"hidra.Client({self._place!r})"

    # Control

    def status(self) -> Status:
        """What the daemon holds in memory and does; ``jobs`` are the requests that take long."""
        return Status.of(self._control("status", control_pb2.StatusRequest(), "status_reply").status_reply)

    def cancel(self, job: str) -> bool:
        """Cancels a job by its id, whoever started it. False when it had already finished."""
        return bool(self._control("cancel", control_pb2.CancelRequest(job=job), "cancel_reply").cancel_reply.cancelled)

    def shutdown(self, grace: float = 10.0) -> int:
        """Stops the daemon, and returns how many requests it finishes: those may take ``grace`` seconds. The next
        request starts it again."""
        request = control_pb2.ShutdownRequest(grace_seconds=grace)
        return int(self._control("shutdown", request, "shutdown_reply").shutdown_reply.jobs_finishing)

    @overload
    def events(self, start: Optional[int] = None) -> EventStream: ...
    @overload
    def events(self, start: Optional[int] = None, *, follow: bool) -> Iterable[Event]: ...
    def events(self, start: Optional[int] = None, *, follow: bool = True) -> Iterable[Event]:
        """What happens in the daemon, in order and without gaps: what the events socket drops is asked for again.

        ``start``: first sequence number wanted, 0 for all the daemon still has; None: only what happens from now on.
        Without ``follow``, a list of what has happened so far (all of it, without ``start``).
        """
        if follow:
            return self._session.link().connection.events(start, owner=self)
        replay = events_pb2.ReplayRequest(from_sequence=start or 0)
        reply = self._control("replay", replay, "replay_reply").replay_reply
        return [Event.of(event) for event in reply.events]

    # Registry

    def encoders(self) -> List[Encoder]:
        """All encoders, by name."""
        return [Encoder.of(encoder) for encoder in self._list().encoders]

    def heads(self) -> List[Head]:
        """All heads, by name."""
        return [Head.of(head) for head in self._list().heads]

    def runs(self) -> List[Run]:
        """The latest 50 trainings, latest first."""
        return [Run.of(run) for run in self._list().runs]

    def show(self, name: str) -> Union[Encoder, Head, Run]:
        """The encoder, head or run of that name; a run comes with its history."""
        return self._record(name)

    def remove(self, name: str, *, with_heads: bool = False) -> List[str]:
        """Deletes a head, or an encoder; an encoder with heads only together with them. Returns what is gone."""
        request = registry_pb2.RemoveRequest(name=name, with_heads=with_heads)
        return list(self._work("remove", request, "remove_reply").envelope.remove_reply.removed)

    def pull(
        self, source: PathLike, name: Optional[str] = None, *, token: Optional[str] = None, progress: Wish = True,
        timeout: Optional[float] = None,
    ) -> Encoder:  # fmt: skip
        """Fetches, verifies and registers an encoder: ``"minilm"``, ``"hf:ORG/NAME[@REVISION]"``, or a folder."""
        request = work_pb2.PullRequest(source=_source(source), name=name or "", token=token or "")
        with reporting(progress) as report:
            reply = self._work("pull", request, "pull_reply", report=report, timeout=timeout)
        return Encoder.of(reply.envelope.pull_reply.encoder)

    def export(self, head: str) -> bytes:
        """A trained head as an ONNX model: features ``[rows, width]`` in, outputs before any softmax out."""
        return self._work("export", work_pb2.ExportRequest(head=head), "export_reply").envelope.export_reply.model

    # Graphs

    def check_graph(self, model: HeadLike, *, batch: int = 1) -> GraphReport:
        """What the daemon would make of an ONNX model (bytes or a path), and why it would be refused."""
        request = graph_pb2.CheckGraphRequest(model=graph_bytes(model), batch=batch)
        return GraphReport.of(self._work("check_graph", request, "check_graph_reply").envelope.check_graph_reply)

    def run_graph(
        self, model: HeadLike, inputs: Mapping[str, Any], *, timeout: Optional[float] = None
    ) -> Dict[str, np.ndarray[Any, np.dtype[Any]]]:
        """Runs an ONNX model once: arrays in, arrays out, by the names they have in the graph."""
        request = graph_pb2.RunGraphRequest(model=graph_bytes(model))
        tensors = {name: np.asarray(value) for name, value in inputs.items()}
        return dict(self._work("run_graph", request, "run_graph_reply", tensors=tensors, timeout=timeout).arrays())


def _source(source: PathLike) -> str:
    """Paths from the root: the daemon has a working directory of its own."""
    text = os.fspath(source)
    is_folder = not isinstance(source, str) or text.startswith(("/", "./", "../", "~")) or text in (".", "..")
    if not is_folder and not text.startswith("hf:"):
        is_folder = "/" in text and os.path.isdir(text)
    return os.path.abspath(os.path.expanduser(text)) if is_folder else text

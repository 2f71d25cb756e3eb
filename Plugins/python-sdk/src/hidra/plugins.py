"""The programs that the daemon runs. Needs the role ``admin``, which every client of the daemon's machine has."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Iterator, List, Optional, Tuple

from .calls import Calls
from .home import PathLike
from .v1 import envelope_pb2, plugins_pb2


@dataclass(frozen=True)
class InstalledPlugin:
    """A plugin, as ``plugin.yaml`` describes it. ``state``: ``"stopped"``, ``"starting"``, ``"running"``, ``"waiting"`` (to be
    started again) or ``"failed"``; ``problem``: how its last process ended; ``started``: seconds since 1970, 0 when it does not run."""

    name: str
    version: str
    state: str
    role: str
    description: str
    tasks: Tuple[str, ...]
    heads: Tuple[str, ...]
    process_id: int
    restarts: int
    started: float
    resident_bytes: int
    problem: str
    directory: str = field(repr=False)
    command: Tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, m: plugins_pb2.Plugin) -> InstalledPlugin:
        return cls(
            m.name, m.version, m.state, m.role, m.description, tuple(m.tasks), tuple(m.heads), m.process_id, m.restarts,
            m.started, m.resident_bytes, m.problem, m.directory, tuple(m.command),
        )  # fmt: skip


class Plugins(Calls):
    """What ``Client`` does with plugins."""

    def plugins(self) -> List[InstalledPlugin]:
        """Those that are installed, by name."""
        reply = self._work("list_plugins", plugins_pb2.ListPluginsRequest(), "list_plugins_reply")
        return [InstalledPlugin.of(plugin) for plugin in reply.envelope.list_plugins_reply.plugins]

    def install_plugin(self, folder: PathLike, *, replace: bool = False) -> InstalledPlugin:
        """Has the daemon copy a folder with a ``plugin.yaml``. ``replace``: in place of one of that name; if that ran, the new
        one runs. Errors in the manifest are ``InvalidArgumentError``, with ``details["line"]``."""
        request = plugins_pb2.InstallPluginRequest(directory=os.path.abspath(os.path.expanduser(os.fspath(folder))), replace=replace)
        reply = self._work("install_plugin", request, "install_plugin_reply")
        return InstalledPlugin.of(reply.envelope.install_plugin_reply.plugin)

    def start_plugin(self, name: str, *, timeout: Optional[float] = None) -> InstalledPlugin:
        """Returns when it has said hello; from then on it runs whenever the daemon does. ``UnavailableError`` when it ended
        before, with the reason in ``details["problem"]``."""
        return self._control_plugin(name, plugins_pb2.ControlPluginRequest.START, timeout)

    def stop_plugin(self, name: str, *, timeout: Optional[float] = None) -> InstalledPlugin:
        """Returns when its process, and all it has started, is gone."""
        return self._control_plugin(name, plugins_pb2.ControlPluginRequest.STOP, timeout)

    def restart_plugin(self, name: str, *, timeout: Optional[float] = None) -> InstalledPlugin:
        """Stops it if it runs, and starts it."""
        return self._control_plugin(name, plugins_pb2.ControlPluginRequest.RESTART, timeout)

    def remove_plugin(self, name: str, *, timeout: Optional[float] = None) -> None:
        """Stops it and deletes its folder in the home."""
        self._control_plugin(name, plugins_pb2.ControlPluginRequest.REMOVE, timeout)

    def plugin_logs(self, name: str, *, lines: int = 100, follow: bool = False, timeout: Optional[float] = None) -> Iterator[str]:
        """What it has printed, the last ``lines``, and with ``follow`` what it goes on to print, until the loop is left."""
        link = self._session.link()
        request = plugins_pb2.PluginLogsRequest(name=name, lines=lines, follow=follow)
        replies = link.connection.replies(
            "plugin_logs", request, socket="work", limit=link.limits.message_bytes, deadline=self._deadline(timeout)
        )
        with closing(replies):
            for reply in replies:
                if reply.envelope.part == envelope_pb2.PART_PARTIAL and reply.envelope.HasField("plugin_log"):
                    yield from reply.envelope.plugin_log.lines

    def _control_plugin(
        self, name: str, action: Any, timeout: Optional[float]
    ) -> InstalledPlugin:
        request = plugins_pb2.ControlPluginRequest(name=name, action=action)
        reply = self._work("control_plugin", request, "control_plugin_reply", timeout=timeout)
        return InstalledPlugin.of(reply.envelope.control_plugin_reply.plugin)

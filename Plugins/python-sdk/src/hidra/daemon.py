"""Finds and starts ``hidrad``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from typing import Optional

from .errors import PermissionDeniedError, UnavailableError
from .home import log_path

ALREADY_RUNNING = 5
"""``hidrad``'s exit status when another one holds the home."""


def find_daemon() -> str:
    """``$HIDRA_DAEMON``, or the ``hidrad`` beside this Python, or the first in ``PATH``."""
    named = os.environ.get("HIDRA_DAEMON")
    if named:
        if not os.access(named, os.X_OK):
            raise UnavailableError(f"HIDRA_DAEMON names {named}, which cannot be executed.")
        return named
    beside = os.path.join(os.path.dirname(sys.executable or ""), "hidrad")
    found = beside if os.access(beside, os.X_OK) else shutil.which("hidrad")
    if found is None:
        raise UnavailableError(
            "No daemon is running and hidrad was not found beside this Python or in PATH. Start it yourself with "
            "`hidra start`, or set HIDRA_DAEMON to its path."
        )
    return found


class DaemonProcess:
    """A ``hidrad`` that this process has started: in a session of its own, its output in the home's log."""

    def __init__(self, home: str, executable: str) -> None:
        self.executable = executable
        self._log = log_path(home)
        try:
            os.makedirs(home, mode=0o700, exist_ok=True)
            log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise PermissionDeniedError(
                f"The home {home} cannot be made: {error}. Set HIDRA_HOME to a directory you may write to."
            ) from error
        try:
            self._start = os.fstat(log).st_size
            # close_fds: a pipe that the daemon kept open would never end for its reader.
            self._process = subprocess.Popen(
                [executable], stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=True,
                start_new_session=True, env={**os.environ, "HIDRA_HOME": home},
            )
        except OSError as error:
            raise UnavailableError(f"Could not start {executable}: {error}.") from error
        finally:
            os.close(log)
        # A daemon that ends before this program must not stay a zombie.
        threading.Thread(target=self._process.wait, name="hidra-spawn", daemon=True).start()

    @property
    def exit_status(self) -> Optional[int]:
        """None while it runs; negative: the signal that ended it."""
        return self._process.returncode

    def log_tail(self, lines: int = 8) -> str:
        """The last lines it has printed."""
        with open(self._log, "rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(self._start, end - 16_384))
            text = log.read().decode("utf-8", "replace")
        return "\n".join(text.splitlines()[-lines:])

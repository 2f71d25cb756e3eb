"""Where a home's daemon listens: section 1 of ``proto/README.md``."""

from __future__ import annotations

import os
import re
import stat
from typing import Optional, Union

from .errors import PermissionDeniedError

PathLike = Union[str, "os.PathLike[str]"]

_RECORD = re.compile(rb"([0-9]{1,10})\n(/[^\n]*)\n\Z")


def home_path(home: Optional[PathLike] = None) -> str:
    """The home's absolute path: the one given, or where the environment says."""
    if home is not None:
        return _absolute(os.path.expanduser(os.fspath(home)))
    named = os.environ.get("HIDRA_HOME")
    if named:
        return _absolute(named)
    data = os.environ.get("XDG_DATA_HOME", "")
    if data.startswith("/"):
        return _absolute(data + "/hidra")
    return _absolute((os.environ.get("HOME") or f"/tmp/hidra-home-{os.getuid()}") + "/.local/share/hidra")


def _absolute(path: str) -> str:
    # Not normpath: it keeps two slashes at the start, and the socket directory's name is a hash of these bytes.
    full = path if path.startswith("/") else os.getcwd() + "/" + path
    parts: list[str] = []
    for part in full.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def log_path(home: str) -> str:
    """What a daemon prints when nobody watches."""
    return home + "/hidrad.log"


def socket_directory(home: str) -> str:
    """Where the home's daemon says it listens, or else where one would."""
    return _recorded(home) or _derived(home)


def _recorded(home: str) -> Optional[str]:
    try:
        with open(home + "/daemon.lock", "rb") as record:
            match = _RECORD.match(record.read(512))
    except OSError:
        return None
    if match is None or int(match[1]) == 0 or not _is_short_enough(os.fsdecode(match[2])):
        return None
    return os.fsdecode(match[2])


def _derived(home: str) -> str:
    digest = 0x811C9DC5
    for byte in os.fsencode(home):
        digest = (digest ^ byte) * 0x01000193 & 0xFFFFFFFF
    name = f"hidra-{digest:08x}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and os.access(runtime, os.W_OK | os.X_OK) and _is_short_enough(f"{runtime}/{name}"):
        return f"{runtime}/{name}"
    return f"/tmp/hidra-{os.getuid()}-{name[6:]}"


def _is_short_enough(directory: str) -> bool:
    return len(os.fsencode(directory + "/control.sock")) <= 100


def check_directory(directory: str) -> bool:
    """Whether the directory is there. One that others own or may enter is an error: anybody could listen there."""
    try:
        # lstat: a link would let its owner choose another directory later.
        status = os.lstat(directory)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise PermissionDeniedError(
            f"The socket directory {directory} cannot be read: {error.strerror}. Set XDG_RUNTIME_DIR to a directory "
            "you may write to."
        ) from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionDeniedError(
            f"{directory} is not a directory that you alone may enter (mode 0700). Somebody else may have made it: "
            "remove it, or set XDG_RUNTIME_DIR to a directory of your own."
        )
    return True


def sockets_are_bound(directory: str) -> bool:
    """Whether all three sockets are there; whether somebody listens is another matter."""
    return all(os.path.exists(f"{directory}/{name}.sock") for name in ("control", "work", "events"))

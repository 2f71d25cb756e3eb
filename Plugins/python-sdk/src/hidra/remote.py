"""A daemon on another machine: sections 1 and 15 of ``proto/README.md``."""

from __future__ import annotations

import os
import re
import stat
from typing import Dict, Optional, Tuple

import zmq

from .errors import CorruptError, InvalidArgumentError, NotFoundError, PermissionDeniedError
from .home import PathLike

_ADDRESS = re.compile(r"tcp://(\[[^\]\s]+\]|[^:\s/]+):([0-9]{1,5})\Z")
_KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}\Z")
_PORTS = {"control": 0, "work": 1, "events": 2}


class RemoteEndpoint(str):
    """``tcp://HOST:PORT`` of the control socket, and the key to it; stands where a directory of sockets would."""

    keys: Tuple[bytes, bytes, bytes]
    """Of the server, then this client's public and secret one."""

    @staticmethod
    def of(server: Optional[str], key: PathLike) -> "RemoteEndpoint":
        """``server``: None: as the key says. ``key``: a file, as ``hidra keys new -o`` writes it."""
        values = _read(os.fspath(key))
        endpoint = RemoteEndpoint(server or values.get("endpoint", ""))
        match = _ADDRESS.match(endpoint)
        if match is None or not 1 <= int(match[2]) <= 65_533:
            raise InvalidArgumentError(f"'{endpoint}' is no address of a daemon; it must be tcp://HOST:PORT.")
        names = ("server-key", "public-key", "secret-key")
        for name in names:
            if _KEY.match(values.get(name, "")) is None:
                raise CorruptError(f"{key} has no {name} of 40 characters. Ask for a new key (`hidra keys new NAME -o FILE`).")
        endpoint.keys = (values[names[0]].encode(), values[names[1]].encode(), values[names[2]].encode())
        return endpoint

    @staticmethod
    def named(server: Optional[str], key: Optional[PathLike]) -> "Optional[RemoteEndpoint]":
        """What is given, or ``HIDRA_SERVER`` and ``HIDRA_KEY`` say; None: the daemon of this machine is meant."""
        server, key = server or os.environ.get("HIDRA_SERVER"), key or os.environ.get("HIDRA_KEY")
        if key:
            return RemoteEndpoint.of(server, key)
        if server:
            raise InvalidArgumentError(f"{server} is reached with a key only. Name its file with key= or HIDRA_KEY.")
        return None


def _read(path: str) -> Dict[str, str]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise PermissionDeniedError(
                    f"Others may read the key {path}. chmod 600 it; if somebody may have read it, have it revoked."
                )
            lines = file.read(4096).split("\n")
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no key {path}.") from error
    except OSError as error:
        raise PermissionDeniedError(f"The key {path} cannot be read: {error.strerror}.") from error
    return {words[0]: words[2] for words in (line.partition(" ") for line in lines if not line.startswith("# "))}


def connect(socket: "zmq.Socket[bytes]", place: str, name: str) -> None:
    """``place``: a directory of sockets, or a ``RemoteEndpoint``."""
    if not isinstance(place, RemoteEndpoint):
        socket.connect(f"ipc://{place}/{name}.sock")
        return
    socket.setsockopt(zmq.IPV6, place.startswith("tcp://["))
    for option, key in zip((zmq.CURVE_SERVERKEY, zmq.CURVE_PUBLICKEY, zmq.CURVE_SECRETKEY), place.keys):
        socket.setsockopt(option, key)
    host, _, port = place.rpartition(":")
    socket.connect(f"{host}:{int(port) + _PORTS[name]}")


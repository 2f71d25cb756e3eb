"""What can go wrong, as exceptions: one class for each code of the protocol."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Type


class HidraError(Exception):
    """A request that did not succeed, whether the daemon said so or could not be asked.

    ``code`` is for programs (the words of ``proto/README.md``), ``message`` for people: it says what to do next.
    ``details`` depend on the code, e.g. ``"suggestion"`` (the nearest name there is) or ``"row"`` (from 1).
    """

    code: str = "internal"
    message: str
    details: Dict[str, str]

    def __init__(
        self, message: str, *, code: Optional[str] = None, details: Optional[Mapping[str, str]] = None
    ) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.details = dict(details or {})

    def __str__(self) -> str:
        return self.message


class InternalError(HidraError):
    """A fault of Hidra's own: the daemon's log says more."""

    code = "internal"


class InvalidArgumentError(HidraError, ValueError):
    """It makes no sense whatever the data: a value out of range, an unknown option."""

    code = "invalid_argument"


class NotFoundError(HidraError, LookupError):
    """No encoder, head, run, file or column of that name; ``details["suggestion"]`` may name the nearest."""

    code = "not_found"


class InvalidDataError(HidraError, ValueError):
    """Rows that cannot be used: none, an empty label, a number that is none, one class only."""

    code = "invalid_data"


class AlreadyExistsError(HidraError):
    """The name is taken; ``replace=True`` replaces a head."""

    code = "already_exists"


class ConflictError(HidraError):
    """Something else is using it: the head is being trained, the encoder has heads."""

    code = "conflict"


class UnavailableError(HidraError, ConnectionError):
    """No daemon, a daemon that went away, or a hub that cannot be reached."""

    code = "unavailable"


class IncompatibleVersionError(HidraError):
    """Client and daemon have no protocol version in common."""

    code = "incompatible_version"


class PermissionDeniedError(HidraError, PermissionError):
    """The file system refuses access, or the socket directory is not this user's alone."""

    code = "permission_denied"


class HidraTimeoutError(HidraError, TimeoutError):
    """The request's time is over, or the daemon shows no sign of life."""

    code = "timeout"


class CancelledError(HidraError):
    """Someone asked for it to stop."""

    code = "cancelled"


class InterruptedByShutdownError(HidraError):
    """The daemon is stopping, or stopped before the work was done."""

    code = "interrupted"


class LimitExceededError(HidraError):
    """A message, a data set or a request is larger than the daemon takes."""

    code = "limit_exceeded"


class DiskFullError(HidraError, OSError):
    """No space is left on the disk."""

    code = "disk_full"


class CorruptError(HidraError):
    """A file is damaged: its digest, header or sizes are wrong."""

    code = "corrupt"


class UnsupportedError(HidraError):
    """An architecture, file format, operator, task or message kind that this daemon does not know."""

    code = "unsupported"


_CLASSES: Dict[str, Type[HidraError]] = {
    cls.code: cls
    for cls in (
        InternalError, InvalidArgumentError, NotFoundError, InvalidDataError, AlreadyExistsError, ConflictError,
        UnavailableError, IncompatibleVersionError, PermissionDeniedError, HidraTimeoutError, CancelledError,
        InterruptedByShutdownError, LimitExceededError, DiskFullError, CorruptError, UnsupportedError,
    )
}


def make_error(code: str, message: str, details: Optional[Mapping[str, str]] = None) -> HidraError:
    """The exception for a code. One that this version does not know counts as internal, and keeps its code."""
    return _CLASSES.get(code, InternalError)(message, code=code, details=details)

"""Files sent whole, named by what they contain: what the daemon has of one is not sent again."""

from __future__ import annotations

import hashlib
import os
import secrets
from typing import Optional, Sequence

from .calls import Calls
from .errors import InvalidArgumentError, InvalidDataError, NotFoundError
from .home import PathLike
from .progress import Wish, reporting
from .results import DataSet, Progress
from .v1 import data_pb2

# Bytes of one message: the daemon checks and writes each before it takes other work's next one.
_PIECE = 4 << 20


class Uploads(Calls):
    """What ``Client`` sends as files."""

    def upload(self, path: PathLike, *, progress: Wish = True, timeout: Optional[float] = None) -> str:
        """Sends a file, or what the daemon lacks of it, and returns its digest (SHA-256, hexadecimal), by which it is known.

        An upload that was cut short, even by the daemon's end, is gone on with by the next call: what was received stays
        there for a day. Raises ``LimitExceededError`` or ``DiskFullError`` before anything is sent.
        """
        self._require("upload", "files that are uploaded")
        deadline, link = self._deadline(timeout), self._session.link()
        piece = min(_PIECE, link.limits.message_bytes // 2)
        try:
            file = open(path, "rb")
        except OSError as error:
            raise NotFoundError(f"{os.fspath(path)} cannot be read: {error.strerror}. Check the path.") from error
        with file, reporting(progress) as report:
            hasher = hashlib.sha256()
            for block in iter(lambda: file.read(1 << 20), b""):
                hasher.update(block)
            digest, size = hasher.hexdigest(), file.tell()
            # Without bytes: says where to go on, and refuses a file that is too large before it is sent.
            content, offset = b"", 0
            while True:
                request = data_pb2.UploadRequest(digest=digest, size=size, offset=offset, content=content)
                reply = self._work("upload", request, "upload_reply", deadline=deadline, link=link).envelope.upload_reply
                if report is not None:
                    report(Progress("", "uploading", reply.received, size, "bytes", {}, ""))
                if reply.complete:
                    return digest
                offset = reply.received
                file.seek(offset)
                content = file.read(piece)
                if not content:
                    raise InvalidDataError(f"{os.fspath(path)} became shorter while it was sent. Send it again.")

    def open_data(
        self, source: PathLike, *, format: str = "", columns: Sequence[str] = (), name: str = "", is_path: bool = False,
        timeout: Optional[float] = None,
    ) -> DataSet:  # fmt: skip
        """Makes a data set of this connection of a table: ``train`` and ``evaluate`` take it for their rows.

        ``source``: the digest that ``upload`` gave; or, with ``is_path``, a file that the daemon reads itself, which only
        clients of its own machine may ask. ``format``: ``"csv"``, ``"tsv"`` or ``"jsonl"``, needed for an upload.
        ``columns``: those to keep, in their order; none: all. ``name``: ``""``: one of its own.
        """
        self._require("upload", "files that are uploaded")
        request = data_pb2.OpenDataRequest(data=name or "data-" + secrets.token_hex(8), format=format, columns=columns)
        if is_path:
            request.path = os.path.abspath(os.path.expanduser(os.fspath(source)))
        elif isinstance(source, str) and len(source) == 64:
            request.digest = source
        else:
            raise InvalidArgumentError(f"{source!r} is no digest of an upload. Upload the file first, or say is_path=True.")
        reply = self._work("open_data", request, "open_data_reply", timeout=timeout).envelope.open_data_reply
        return DataSet(request.data, reply.rows, reply.bytes, tuple(reply.columns))

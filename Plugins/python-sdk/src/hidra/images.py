"""Images as the daemon takes them: encoded files (JPEG, PNG, WebP), whole."""

from __future__ import annotations

import io
import os
import tarfile
from typing import Any, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from .errors import HidraError, InvalidArgumentError, InvalidDataError, NotFoundError
from .home import PathLike

LARGEST_FILE = 128 << 20
EXTENSIONS = frozenset(("jpg", "jpeg", "jpe", "jfif", "png", "webp"))
ARCHIVES = (".tar", ".tar.gz", ".tgz")


class LabelledImage(NamedTuple):
    image: bytes
    label: str
    name: str


def is_image(value: Any) -> bool:
    """Whether it may be one, rather than a text: a str may be either."""
    return isinstance(value, (bytes, bytearray, memoryview, os.PathLike, Mapping)) or _is_picture(value)


def _is_picture(value: Any) -> bool:
    return hasattr(value, "save") and hasattr(value, "mode")


def image_bytes(value: Any, folder: str = "") -> bytes:
    """The encoded file of an image: bytes as they are, a path (relative to ``folder``), or a PIL image (as PNG).

    Also ``{"bytes": …}`` or ``{"path": …}``, as undecoded images of ``datasets`` are.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, (str, os.PathLike)):
        return _read(os.path.join(folder, os.fspath(value)))
    if isinstance(value, Mapping) and (value.get("bytes") or value.get("path")):
        return image_bytes(value.get("bytes") or value["path"], folder)
    if _is_picture(value):
        buffer = io.BytesIO()
        lossless = value if value.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16") else value.convert("RGB")
        lossless.save(buffer, format="PNG")
        return buffer.getvalue()
    raise InvalidArgumentError(f"A {type(value).__name__} is no image: give a path, the file's bytes, or a PIL image.")


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no image {path}.", details={"file": path}) from error
    except OSError as error:
        raise InvalidDataError(f"{path} cannot be read: {error.strerror}.", details={"file": path}) from error
    if len(content) > LARGEST_FILE:
        raise InvalidDataError(f"{path} has more than {LARGEST_FILE} bytes.", details={"file": path})
    return content


def is_collection(path: PathLike) -> bool:
    """Whether it names a folder, or an archive of one."""
    return os.path.isdir(path) or os.fspath(path).lower().endswith(ARCHIVES)


def collection(path: PathLike, problems: List[str]) -> Iterator[LabelledImage]:
    """Images of a folder with a sub-folder for each label, by name; or of a tar archive of one, in its order.

    What cannot be read, or lies in no sub-folder, is added to ``problems`` and left out.
    """
    for name, image in entries(path, problems):
        parts = name.split("/")
        if len(parts) < 2:
            problems.append(f"{name} lies in no folder that would name its label")
        else:
            yield LabelledImage(image, parts[-2], name)


def entries(path: PathLike, problems: List[str]) -> Iterator[Tuple[str, bytes]]:
    """All images of a folder, by name, or of a tar archive, in its order: each with its path in it. What cannot be read is added to
    ``problems``."""
    return _folder(os.fspath(path), problems) if os.path.isdir(path) else _archive(os.fspath(path), problems)


def _is_image(name: str) -> bool:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or name.startswith("/") or any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return False
    return "." in parts[-1] and parts[-1].rpartition(".")[2].lower() in EXTENSIONS


def _folder(folder: str, problems: List[str]) -> Iterator[Tuple[str, bytes]]:
    names = []
    for here, _, files in os.walk(folder):
        relative = os.path.relpath(here, folder)
        names += [file if relative == "." else f"{relative}/{file}" for file in files]
    for name in sorted(filter(_is_image, names), key=os.fsencode):
        path = os.path.join(folder, name)
        if os.path.islink(path):
            problems.append(f"{name} is a link; put the file itself there")
            continue
        try:
            yield name, _read(path)
        except HidraError as error:
            problems.append(error.message)


def _archive(path: str, problems: List[str]) -> Iterator[Tuple[str, bytes]]:
    try:
        with tarfile.open(path, "r:*") as archive:
            for entry in archive:
                name = "/".join(part for part in entry.name.split("/") if part not in ("", "."))
                if entry.isdir() or not _is_image(entry.name):
                    continue
                content: Optional[Any] = archive.extractfile(entry) if entry.isfile() else None
                if content is None or entry.size > LARGEST_FILE:
                    problems.append(f"{name} is a link or too large")
                    continue
                yield name, content.read()
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no archive {path}.", details={"file": path}) from error
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InvalidDataError(f"{path} cannot be read as a tar archive: {error}.", details={"file": path}) from error

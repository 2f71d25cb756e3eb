"""Writes ZIP files that a reader meets seldom, for tests. Standard library only."""

import warnings
import zipfile
from pathlib import Path

TEXT = b"some text that is long enough to be packed " * 50


def archive(path, members, comment=b""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member, data in members:
            file.writestr(member, data)
        file.comment = comment


def patched(path, offset, value):
    """Changes a field of the only directory entry."""
    archive(path, [("a", TEXT)])
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + offset:entry + offset + len(value)] = value
    path.write_bytes(data)


def make(folder):
    """Writes them all into `folder` and returns their names."""
    target = Path(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive(target / "good.zip", [("a", TEXT)])
        archive(target / "commented.zip", [("a", TEXT)], comment=b"PK\x05\x06 which looks like an end record")
        archive(target / "twice.zip", [("a", TEXT), ("a", b"other")])
        archive(target / "outside.zip", [("../../a", TEXT), ("/a", TEXT)])
        patched(target / "encrypted.zip", 8, b"\x01\x00")
        patched(target / "unknown_method.zip", 10, b"\x0c\x00")
        patched(target / "zip64.zip", 24, b"\xff\xff\xff\xff")
        patched(target / "smaller_than_it_says.zip", 24, (len(TEXT) + 1).to_bytes(4, "little"))
        patched(target / "larger_than_it_says.zip", 24, (len(TEXT) - 1).to_bytes(4, "little"))
        patched(target / "elsewhere.zip", 42, b"\x05\x00\x00\x00")
    return [path.name for path in target.glob("*.zip")]

"""Writes wheels with a folder's files below PACKAGE/model, for tests. Standard library only."""

import hashlib
import zipfile
from pathlib import Path


def make(name, version, folder, target):
    """Returns the wheel's path and size, and size and SHA-256 of every file."""
    package = name.replace("-", "_")
    info = f"{package}-{version}.dist-info"
    wheel = Path(target) / f"{package}-{version}-py3-none-any.whl"
    files = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{package}/__init__.py", "")
        for path, data in files.items():
            method = zipfile.ZIP_STORED if path == "modules.json" else zipfile.ZIP_DEFLATED
            archive.writestr(f"{package}/model/{path}", data, compress_type=method)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return {
        "wheel": str(wheel),
        "size": wheel.stat().st_size,
        "files": {path: {"size": len(d), "sha256": hashlib.sha256(d).hexdigest()} for path, d in files.items()},
    }

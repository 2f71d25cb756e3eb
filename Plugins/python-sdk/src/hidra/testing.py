"""Fixtures for pytest: a daemon of the tests' own, in a home of its own, with the real MiniLM.

    from hidra.testing import client, home  # noqa: F401

    def test_it_predicts(client):
        ...

Skips where there is no ``hidrad`` (``HIDRA_DAEMON``, or ``PATH``) or no MiniLM (``HIDRA_MINILM``, its folder, or the encoder
of ``HIDRA_HOME``).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Iterator, List

import pytest

from .client import Client
from .daemon import find_daemon
from .errors import HidraError
from .home import home_path


def minilm() -> str:
    """Its folder; skips where there is none."""
    for folder in (os.environ.get("HIDRA_MINILM"), os.path.join(home_path(), "encoders/minilm")):
        if folder and os.path.exists(os.path.join(folder, "model.safetensors")):
            return folder
    raise pytest.skip.Exception("needs the encoder MiniLM: `hidra pull minilm`, or set HIDRA_MINILM to its folder")


# Several modules may import the fixture, and each import is a fixture of its own to pytest: they share one daemon.
_shared: List[str] = []


@pytest.fixture(scope="session")
def home() -> Iterator[str]:
    """The home of a daemon that knows MiniLM; ``HIDRA_HOME`` while the tests run."""
    if _shared:
        yield _shared[0]
        return
    try:
        find_daemon()
    except HidraError as error:
        pytest.skip(error.message)
    source = minilm()
    folder = tempfile.mkdtemp(prefix="hidra-test-")
    before = os.environ.get("HIDRA_HOME")
    os.environ["HIDRA_HOME"] = folder
    _shared.append(folder)
    try:
        with Client() as client:
            client.pull(Path(source), "minilm")
        yield folder
        with Client() as client:
            client.shutdown(0)
    finally:
        _shared.clear()
        os.environ.pop("HIDRA_HOME") if before is None else os.environ.update(HIDRA_HOME=before)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def client(home: str) -> Iterator[Client]:
    with Client(home) as client:
        yield client

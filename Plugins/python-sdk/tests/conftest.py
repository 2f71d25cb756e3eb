"""One daemon for the whole run, in a home of its own, with the real MiniLM."""

import csv
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

import hidra
from hidra.testing import client, home  # noqa: F401

REPOSITORY = Path(__file__).resolve().parents[3]
TICKETS = REPOSITORY / "Plugins/ticket-triage/data/tickets.csv"
if not os.environ.get("HIDRA_DAEMON"):
    os.environ["HIDRA_DAEMON"] = str(REPOSITORY / ".build/release/hidrad")


def _program(name):
    daemon = os.environ.get("HIDRA_DAEMON")
    path = Path(daemon).with_name(name) if daemon else REPOSITORY / ".build/release" / name
    if not os.access(path, os.X_OK):
        pytest.skip(f"needs {name}: build it, or name hidrad with HIDRA_DAEMON")
    return str(path)


@pytest.fixture(scope="session")
def hidra_cli():
    return _program("hidra")


@pytest.fixture(scope="session")
def empty_home():
    """A home without a daemon or encoders."""
    os.environ["HIDRA_DAEMON"] = _program("hidrad")
    folder = tempfile.mkdtemp(prefix="hidra-python-")
    yield folder
    try:
        with hidra.Client(folder, start=False) as client:
            client.shutdown(0)
    except hidra.UnavailableError:
        pass
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def cli(home, hidra_cli):
    def run(*arguments):
        done = subprocess.run([hidra_cli, *map(str, arguments)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def tickets():
    """The first 300 support messages, as a dict of columns."""
    with open(TICKETS, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:300]
    return {name: [row[name] for row in rows] for name in rows[0]}


ENDLESS = dict(
    text="message", label="intent", encoder="minilm", head="mlp", batch_size=4, epochs=10_000, patience=10_000, lr=0.001
)
"""Settings of a training that is still going on when a test wants to end it."""


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)

"""The package's types are checked as strictly as mypy can."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_mypy_strict_finds_nothing(tmp_path):
    pytest.importorskip("mypy", reason="needs mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path)], capture_output=True, text=True, timeout=300,
        cwd=Path(__file__).resolve().parents[1],
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr

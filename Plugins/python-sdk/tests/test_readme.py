"""The README's example runs as printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_example_runs_as_printed(home, client, tmp_path):
    pytest.importorskip("sklearn")
    example, _ = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example], capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("readme-intent ('card', 'login', 'transfer')")
    assert lines[2:] == [
        "somebody has stolen my card! → card high", "how long do transfers take? → transfer low", "(2, 384) float32",
        "not_found readme-intent", "['login']",
    ]  # fmt: skip


def test_the_plugin_runs_as_printed(home, client, tmp_path):
    if not {"calls", "steps"} <= client._session.link().capabilities:
        pytest.skip("needs a hidrad that calls its clients")
    _, example = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.S)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", example], capture_output=True, text=True, cwd=tmp_path, timeout=120
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "angry\n20 True readme-loop\n")


def test_the_specification_has_the_same_client_in_short(home, client, tmp_path):
    """The complete client in proto/README.md runs with the package's generated messages."""
    specification = README.parents[2] / "proto/README.md"
    (example,) = re.findall(r"```python\n(.*?)```", specification.read_text(encoding="utf-8"), re.S)
    done = subprocess.run([sys.executable, "-c", example], capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    values = client.embed("minilm", "my card has not arrived")[0, :4].tolist()
    assert done.stdout == f"[1, 384] {values}\n"

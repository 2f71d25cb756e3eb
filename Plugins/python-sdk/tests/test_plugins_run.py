"""Each plugin in Python as the daemon would run it: by its ``plugin.yaml``, with next to no environment, within its limits."""

import os
import re
import resource
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import hidra.testing
from conftest import REPOSITORY, until



def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# Grey, 28 by 28.
PICTURE = b"\x89PNG\r\n\x1a\n" + b"".join(
    (
        _chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)),
        _chunk(b"IDAT", zlib.compress((b"\0" + bytes(28)) * 28)),
        _chunk(b"IEND", b""),
    )
)

FOLDERS = [path.parent for path in sorted(REPOSITORY.glob("Plugins/*/plugin.yaml")) if "[python3," in path.read_text()]


def _manifest(folder):
    text = (folder / "plugin.yaml").read_text(encoding="utf-8")
    lists = {key: [word.strip() for word in words.split(",")] for key, words in re.findall(r"^(\w+): \[(.*)\]$", text, re.M)}
    limits = {key: int(number) for key, number in re.findall(r"(\w+): (\d+)", re.search(r"^limits: .*$", text, re.M)[0])}
    return lists["command"], lists["heads"], limits


@pytest.fixture
def start(home):
    processes = []

    def run(folder, home=home):
        command, heads, limits = _manifest(folder)

        def limit():
            resource.setrlimit(resource.RLIMIT_DATA, (limits["memory"] << 30,) * 2)
            resource.setrlimit(resource.RLIMIT_NOFILE, (limits["open_files"],) * 2)

        names = ("PATH", "HOME", "LANG", "TMPDIR", "XDG_RUNTIME_DIR")
        environment = {name: os.environ[name] for name in names if name in os.environ}
        process = subprocess.Popen(
            [sys.executable, *command[1:]], cwd=folder, env={**environment, "HIDRA_HOME": home}, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, preexec_fn=limit, start_new_session=True,
        )  # fmt: skip
        processes.append(process)
        return process, heads

    yield run
    for process in processes:
        process.kill()
        process.stdout.close()
        process.wait()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_makes_its_heads_stays_and_ends_when_told(client, start, folder):
    if not {"calls", "steps"} <= client._session.link().capabilities:
        pytest.skip("needs a hidrad that calls its clients")
    for name in {head.name for head in client.heads()} & set(_manifest(folder)[1]):
        client.remove(name)  # Of the plugin's own tests: it must make them itself.
    process, heads = start(folder)
    # One of them trains an encoder first.
    until(lambda: process.poll() is not None or set(heads) <= {head.name for head in client.heads()}, 120)
    assert process.poll() is None, process.stdout.read()
    for name in heads:
        shown = client.show(name)
        inputs = [PICTURE] if shown.modality == "image" else [("a", "b")] if len(shown.columns) == 2 else ["a"]
        answer, head = client.predict(name, inputs)[0], client.show(name)
        assert answer.spans is not None if head.task == "tag" else answer.label in head.labels
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0, process.stdout.read()
    for name in heads:
        client.remove(name)


def test_a_plugin_ends_with_its_daemon(client, start, tmp_path):
    if "steps" not in client._session.link().capabilities:
        pytest.skip("needs a hidrad that trains heads step by step")
    folder = next(folder for folder in FOLDERS if folder.name == "zero-shot")
    with hidra.Client(tmp_path / "home") as other:
        other.pull(Path(os.environ.get("HIDRA_MINILM") or hidra.testing.minilm()), "minilm")
        process, heads = start(folder, str(tmp_path / "home"))
        until(lambda: {head.name for head in other.heads()} == set(heads), 20)
        other.shutdown(0)
    assert process.wait(10) == 0, process.stdout.read()

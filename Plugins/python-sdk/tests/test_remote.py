"""A daemon over the network, with a key: a real one, on the loopback interface."""

import os
import random
import socket
import subprocess
import time
from pathlib import Path
from typing import Iterator, Tuple

import pytest

import hidra


def _free_port() -> int:
    for _ in range(100):
        port = random.randint(20_000, 32_000)
        try:
            for number in range(port, port + 3):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
            return port
        except OSError:
            continue
    raise RuntimeError("no free ports")


@pytest.fixture()
def network(tmp_path: Path) -> Iterator[Tuple[str, Path]]:
    """The address of a daemon, and its home."""
    daemon = os.environ.get("HIDRA_DAEMON")
    if not daemon:
        pytest.skip("HIDRA_DAEMON names no hidrad")
    home, address = tmp_path / "home", f"tcp://127.0.0.1:{_free_port()}"
    process = subprocess.Popen(
        [daemon, "--listen", address], env={**os.environ, "HIDRA_HOME": str(home)}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(500):
            try:
                hidra.Client(home, start=False).close()
                break
            except hidra.HidraError:
                time.sleep(0.02)
        yield address, home
    finally:
        process.terminate()
        process.wait()


def _key(home: Path, role: str) -> Path:
    file = home.parent / f"{role}.key"
    cli = Path(os.environ["HIDRA_DAEMON"]).parent / "hidra"
    subprocess.run(
        [str(cli), "keys", "new", role, "--role", role, "-o", str(file)], env={**os.environ, "HIDRA_HOME": str(home)}, check=True,
        capture_output=True,
    )  # fmt: skip
    return file


def test_a_key_opens_the_daemon_as_far_as_its_role_goes(network: Tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    address, home = network
    infer, admin = _key(home, "infer"), _key(home, "admin")
    with hidra.Client(key=infer) as client:
        assert client.encoders() == []
        with pytest.raises(hidra.PermissionDeniedError, match="admin"):
            client.status()
        assert address in repr(client)
    monkeypatch.setenv("HIDRA_KEY", str(admin))
    monkeypatch.setenv("HIDRA_SERVER", address)
    with hidra.Client() as client:
        assert client.status().clients >= 1


def test_a_key_that_was_revoked_is_refused_by_name(network: Tuple[str, Path]) -> None:
    _, home = network
    file = _key(home, "train")
    cli = Path(os.environ["HIDRA_DAEMON"]).parent / "hidra"
    subprocess.run([str(cli), "keys", "revoke", "train"], env={**os.environ, "HIDRA_HOME": str(home)}, check=True, capture_output=True)
    with pytest.raises(hidra.PermissionDeniedError, match="revoked"):
        hidra.Client(key=file).encoders()


def test_a_key_that_others_may_read_or_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.key"
    file.write_text("endpoint tcp://127.0.0.1:7700\nserver-key short\n")
    file.chmod(0o644)
    with pytest.raises(hidra.PermissionDeniedError):
        hidra.Client(key=file)
    file.chmod(0o600)
    with pytest.raises(hidra.CorruptError):
        hidra.Client(key=file)
    with pytest.raises(hidra.InvalidArgumentError):
        hidra.Client(server="tcp://127.0.0.1:7700")
    with pytest.raises(hidra.InvalidArgumentError):
        hidra.Client(tmp_path, key=file)

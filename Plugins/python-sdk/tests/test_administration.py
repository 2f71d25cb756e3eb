"""Plugins and keys, from Python."""

import stat
import sys
import textwrap
import time

import pytest

import hidra


@pytest.fixture()
def folder(tmp_path):
    (tmp_path / "plugin.yaml").write_text(
        textwrap.dedent(
            f"""\
            name: counting
            version: 1.2.0
            description: Counts
            command: [{sys.executable}, counting.py]
            protocol: {{min: 1, max: 1}}
            """
        )
    )
    (tmp_path / "counting.py").write_text(
        textwrap.dedent(
            """\
            import sys, threading, time
            from hidra import plugin
            me = plugin.Plugin("counting", version="1.2.0")
            def count():
                for number in range(10_000):
                    print("line", number, flush=True)
                    time.sleep(0.05)
            threading.Thread(target=count, daemon=True).start()
            me.wait()
            """
        )
    )
    return tmp_path


def test_a_plugin_is_installed_started_read_and_removed(client, folder):
    installed = client.install_plugin(folder, replace=True)
    assert (installed.name, installed.version, installed.state) == ("counting", "1.2.0", "stopped")
    with pytest.raises(hidra.AlreadyExistsError):
        client.install_plugin(folder)
    running = client.start_plugin("counting")
    assert running.state == "running" and running.process_id > 0 and running.started > 0
    assert [plugin.name for plugin in client.plugins()] == ["counting"]
    lines = client.plugin_logs("counting", follow=True)
    # What comes after it is printed, too.
    assert any("line 3" in line for line in lines)
    lines.close()
    again = client.restart_plugin("counting")
    assert again.state == "running" and again.process_id != running.process_id
    assert client.stop_plugin("counting").state == "stopped"
    assert list(client.plugin_logs("counting", lines=2))
    client.remove_plugin("counting")
    assert client.plugins() == []
    with pytest.raises(hidra.NotFoundError):
        client.start_plugin("counting")


def test_a_manifest_that_is_wrong_names_its_line(client, tmp_path):
    (tmp_path / "plugin.yaml").write_text("name: x\nversion: 1.0.0\ncomand: [true]\n")
    with pytest.raises(hidra.InvalidArgumentError) as caught:
        client.install_plugin(tmp_path)
    assert caught.value.details["line"] == "3" and caught.value.details["suggestion"] == "command"


LISTENING = """\
import os, zmq
from hidra import plugin
me = plugin.Plugin("listening", version="1.0.0")
me.client.heads()
with open(os.path.join(os.environ["HIDRA_HOME"], "daemon.lock")) as record:
    directory = record.read().split("\\n")[1]
socket = zmq.Context().socket(zmq.SUB)
for topic in (b"", b"ev", b"events", b"sync/me"):
    socket.subscribe(topic)
socket.connect(f"ipc://{directory}/events.sock")
while True:
    print("got", socket.recv_multipart()[0].decode(), flush=True)
"""


@pytest.mark.parametrize("role, hears", [("infer", False), ("train", True)])
def test_events_of_this_machine_are_for_plugins_of_the_role_train(client, tmp_path, role, hears):
    manifest = f"name: listening\nversion: 1.0.0\nrole: {role}\ncommand: [{sys.executable}, listening.py]\nprotocol: {{min: 1, max: 1}}\n"
    (tmp_path / "plugin.yaml").write_text(manifest)
    (tmp_path / "listening.py").write_text(LISTENING)
    client.install_plugin(tmp_path, replace=True)
    client.start_plugin("listening")
    heard = set()
    for line in client.plugin_logs("listening", follow=True, timeout=20):
        heard.update(part for part in ("sync/me", "events") if f"got {part}" in line)
        if "sync/me" in heard:
            break
    assert "sync/me" in heard, "the socket is connected, and this is for anybody"
    # Something happens.
    with client.attach(f"event-{role}", encoder="minilm", labels=["a", "b"]) as attachment:
        attachment.detach(keep=False)
    time.sleep(0.3)
    heard = {line.split("got ", 1)[1] for line in client.plugin_logs("listening") if "got " in line}
    assert ("events" in heard) == hears, heard
    client.remove_plugin("listening")


def test_a_key_is_made_listed_written_and_revoked(client, tmp_path):
    made = client.create_key("python-key", role="train", quota=hidra.Quota(open_requests=3, core_seconds=2.5))
    assert made.key.role == "train" and len(made.secret_key) == len(made.server_key) == 40
    assert made.secret_key not in repr(made)
    file = tmp_path / "python.key"
    made.write(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and f"secret-key {made.secret_key}\n" in file.read_text()
    with pytest.raises(hidra.AlreadyExistsError):
        made.write(file)
    with pytest.raises(hidra.AlreadyExistsError):
        client.create_key("python-key")
    (listed,) = [key for key in client.keys() if key.name == "python-key"]
    assert listed.quota == hidra.Quota(3, 0, 0, 2.5) and listed.revoked == 0
    assert client.revoke_key("python-key").revoked >= int(time.time()) - 5

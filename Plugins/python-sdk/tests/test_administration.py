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

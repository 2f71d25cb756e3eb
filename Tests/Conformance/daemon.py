"""A daemon in a home of its own, with MiniLM."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from wire import Envelope, RawClient, hidrad


class Daemon:
    def __init__(self, encoder):
        self.home = tempfile.mkdtemp(prefix="hidra-conform-")
        self.start()
        with RawClient(self.home) as client:
            request = Envelope()
            request.pull.source, request.pull.name = os.path.abspath(encoder), "minilm"
            reply = client.ask("work", request, seconds=60)
            assert reply.WhichOneof("kind") == "pull_reply", reply

    @property
    def directory(self):
        return (Path(self.home) / "daemon.lock").read_text().split("\n")[1]

    def start(self):
        log = open(os.path.join(self.home, "hidrad.log"), "ab")
        (Path(self.home) / "daemon.lock").unlink(missing_ok=True)
        self.process = subprocess.Popen([hidrad()], env={**os.environ, "HIDRA_HOME": self.home}, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while True:
            try:
                if all(os.path.exists(f"{self.directory}/{name}.sock") for name in ("control", "work", "events")):
                    return
            except (OSError, IndexError):
                pass
            assert time.monotonic() < deadline and self.process.poll() is None, "hidrad did not start"
            time.sleep(0.01)

    def kill(self):
        directory = self.directory
        self.process.kill()
        self.process.wait()
        for name in ("control", "work", "events"):
            Path(f"{directory}/{name}.sock").unlink(missing_ok=True)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.home, ignore_errors=True)

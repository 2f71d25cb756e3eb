#!/usr/bin/env python3
"""Eight plugins work on one daemon while they, and in the first part the daemon, are killed at random.

    Tests/Soak/soak.py --seconds 1800

Nothing may be lost: every step a plugin had an answer to is there after a kill, heads that are trained step by step end with the bytes of an
undisturbed training, and heads answer as they did. After the first part only plugins are killed, and the daemon's memory must not grow. Needs the Python package (`.ci/python` makes an environment with it) and `hidrad` with `hidra` beside it.
Growth is the slope of a line through all the time after warm-up, of medians of half a minute each, which are nearly independent of each other;
it has a confidence interval of 95 %, and counts as a leak when it is above the bound and the interval is above zero. A run that is too short or too
noisy to see so much does not pass either. Prints one JSON object; exits with 1 when something did not hold.
"""

import argparse
import csv
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "Plugins/ticket-triage/data/tickets.csv"
STEPS, BATCH, ROWS = 40, 32, 320
KINDS = ["verbs", "verbs", "verbs", "loss", "loss", "ask", "ask", "data"]


def rows():
    with open(TABLE, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))[:ROWS]


def cross_entropy(outputs, targets):
    shifted = outputs - outputs.max(axis=1, keepdims=True)
    shares = np.exp(shifted)
    shares /= shares.sum(axis=1, keepdims=True)
    loss = -np.log(shares[np.arange(len(targets)), targets]).mean()
    shares[np.arange(len(targets)), targets] -= 1
    return float(loss), shares / len(targets)


# Plugins


def step_by_step(client, name, journal):
    """Trains a head with a loop of its own; killed, it goes on where its journal says. Returns the digest of the state it ends with."""
    table = rows()
    texts, labels = [row["message"] for row in table], sorted({row["intent"] for row in table})
    truth = np.array([labels.index(row["intent"]) for row in table])
    known = json.loads(journal.read_text()) if journal.exists() else {}
    head = None
    if known.get("run"):
        try:
            head = client.attach(name, run=known["run"], reconnect=60)
            if head.steps < known["steps"]:
                raise SystemExit(f"LOST: {known['steps']} steps were answered, {head.steps} are there")
        except Exception as error:  # detached before the journal was: then it begins anew
            if type(error).__name__ not in ("NotFoundError", "ConflictError"):
                raise
    if head is None:
        head = client.attach(name, encoder="minilm", labels=labels, head="mlp", hidden=64, seed=7, lr=0.003, replace=True, reconnect=60)
    write(journal, {"run": head.run, "steps": head.steps})
    while head.steps < STEPS:
        own = [(head.steps * BATCH + i) % len(texts) for i in range(BATCH)]
        outputs = head.forward([texts[i] for i in own], training=True)
        _, gradients = cross_entropy(outputs, truth[own])
        head.backward(gradients, step=True)
        write(journal, {"run": head.run, "steps": head.steps})
    digest = hashlib.sha256(head.save_state()).hexdigest()
    head.detach(keep=False)
    journal.unlink()
    return digest


def write(path, value):
    path.with_suffix(".next").write_text(json.dumps(value))
    path.with_suffix(".next").rename(path)


def plugin(kind, index, folder, seed):
    from hidra import Client

    chance, journal, done = random.Random(seed), folder / f"{index}.json", folder / f"{index}.done"
    client = Client(name=f"soak-{kind}-{index}", start=False, heartbeat=5)
    table = rows()
    expected = (folder / "expected").read_text()
    answers = json.loads((folder / "answers").read_text())
    while True:
        try:
            if kind == "verbs":
                digest = step_by_step(client, f"soak-own-{index}", journal)
                if digest != expected:
                    raise SystemExit(f"LOST: a head trained step by step ended with {digest}, not {expected}")
            elif kind == "loss":
                client.train(
                    table[:160], name=f"soak-loss-{index}", text="message", label="tone", encoder="minilm", epochs=3, lr=0.01,
                    loss=cross_entropy, replace=True)
            elif kind == "ask":
                texts = [chance.choice(table)["message"] + f" {chance.random()}" for _ in range(chance.choice([1, 8]))]
                client.predict(["soak-fixed"], texts)
                got = [p["soak-fixed"].label for p in client.predict(["soak-fixed"], [row["message"] for row in table[:8]])]
                if got != answers:
                    raise SystemExit(f"LOST: a head answers {got}, not {answers}")
            else:
                client.train(table, name=f"soak-data-{index}", text="message", label="urgency", encoder="minilm", epochs=4, seed=chance.getrandbits(30), replace=True)
                client.embed("minilm", [f"{row['message']} {chance.random()}" for row in table[:32]])
            with open(done, "a") as file:
                file.write(".")
            time.sleep(0.05)
        except Exception as error:
            # Of a daemon that is gone, or one that stops: it comes back.
            if type(error).__name__ in ("UnavailableError", "InterruptedByShutdownError", "HidraTimeoutError", "ConflictError", "CancelledError"):
                time.sleep(0.2)
                continue
            raise SystemExit(f"FAILED: {kind}: {type(error).__name__}: {error}")


# The one who watches


class Soak:
    def __init__(self, options):
        self.options, self.chance = options, random.Random(options.seed)
        self.folder = Path(tempfile.mkdtemp(prefix="hidra-soak-"))
        self.home = self.folder / "home"
        os.environ["HIDRA_HOME"] = str(self.home)
        self.daemon, self.plugins, self.problems = None, {}, []
        self.kills = {"plugin": 0, "daemon": 0}

    def start_daemon(self):
        log = open(self.folder / "hidrad.log", "a")
        self.daemon = subprocess.Popen([self.options.daemon], stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 30
        while not list(self.home.glob("daemon.lock")) or not self.answers():
            if time.monotonic() > deadline:
                raise SystemExit("hidrad did not start:\n" + (self.folder / "hidrad.log").read_text()[-2000:])
            time.sleep(0.05)

    def answers(self):
        from hidra import Client

        try:
            with Client(start=False, connect_timeout=2):
                return True
        except Exception:
            return False

    def prepare(self):
        from hidra import Client

        self.home.mkdir()
        self.start_daemon()
        with Client(start=False, name="soak") as client:
            client.pull(str(self.options.encoder), name="minilm")
            table = rows()
            client.train(table, name="soak-fixed", text="message", label="intent", encoder="minilm", epochs=10, lr=0.01)
            fixed = [p["soak-fixed"].label for p in client.predict(["soak-fixed"], [row["message"] for row in table[:8]])]
            (self.folder / "answers").write_text(json.dumps(fixed))
            (self.folder / "expected").write_text(step_by_step(client, "soak-undisturbed", self.folder / "undisturbed.json"))

    def start_plugin(self, index):
        out = open(self.folder / f"{index}.log", "a")
        command = [sys.executable, __file__, "--plugin", KINDS[index], "--index", str(index), "--folder", str(self.folder), "--seed",
                   str(self.chance.getrandbits(30))]
        self.plugins[index] = subprocess.Popen(command, stdout=out, stderr=out)

    def look_after_plugins(self):
        for index, process in list(self.plugins.items()):
            if process.poll() is None:
                continue
            if process.returncode != -signal.SIGKILL:
                self.problems.append((self.folder / f"{index}.log").read_text()[-1500:])
            self.start_plugin(index)

    def resident(self):
        """All of the daemon's memory, its own (heap and stacks) and mapped files, in MB; its threads and open files."""
        place = Path(f"/proc/{self.daemon.pid}")
        lines = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
        sizes = [int(lines[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "RssAnon", "RssFile")]
        return [*sizes, int(lines["Threads"]), len(list((place / "fd").iterdir()))]

    def run(self):
        try:
            return self.work()
        finally:
            for process in [*self.plugins.values(), self.daemon]:
                if process and process.poll() is None:
                    process.kill()

    def work(self):
        self.prepare()
        for index in range(len(KINDS)):
            self.start_plugin(index)
        start = time.monotonic()
        # Memory is watched after it has settled: a new daemon begins with none.
        calm, settled = start + self.options.seconds * 0.2, start + self.options.seconds * 0.4
        end, kill, sample, memory = start + self.options.seconds, start + 3, settled, []
        while time.monotonic() < end and len(self.problems) < 5:
            time.sleep(0.1)
            now = time.monotonic()
            self.look_after_plugins()
            if self.daemon.poll() is not None:
                self.problems.append(f"hidrad ended by itself with {self.daemon.returncode}")
                self.start_daemon()
            if now >= kill:
                kill = now + self.chance.uniform(1, 6)
                if now < calm and self.chance.random() < 0.25:
                    self.daemon.kill()
                    self.daemon.wait()
                    self.kills["daemon"] += 1
                    self.start_daemon()
                else:
                    self.chance.choice(list(self.plugins.values())).kill()
                    self.kills["plugin"] += 1
            if now >= sample:
                sample = now + 1
                memory.append((now - start, *self.resident()))
        return self.report(memory)

    def report(self, memory):
        for process in self.plugins.values():
            process.kill()
            process.wait()
        self.daemon.terminate()
        stopped = self.daemon.wait(timeout=30)
        times, sizes, own, files, threads, descriptors = np.array(memory).T
        growth, margin = growth_of(times, sizes)
        np.savetxt(self.folder / "memory.tsv", np.array(memory), "%.1f", "\t")
        done = {index: len((self.folder / f"{index}.done").read_text()) if (self.folder / f"{index}.done").exists() else 0
                for index in range(len(KINDS))}
        idle = [f"plugin {index} ({KINDS[index]}) never finished a piece of work" for index, count in done.items() if count == 0]
        if growth > self.options.slope and growth - margin > 0:
            self.problems.append(f"memory grew by {growth:.1%} ± {margin:.1%} after warm-up")
        elif margin > max(0.05, 2 * self.options.slope):
            self.problems.append(f"memory grew by {growth:.1%} ± {margin:.1%}: the run was too short, or too noisy, to tell")
        if stopped != 0:
            self.problems.append(f"hidrad stopped with {stopped}")
        self.problems += idle
        print(json.dumps({
            "soak_seconds": self.options.seconds, "kills": self.kills, "done": {f"{i} {KINDS[i]}": n for i, n in done.items()},
            "resident_mb": [round(float(sizes.min()), 1), round(float(sizes.max()), 1)],
            "memory_growth": round(growth, 4), "memory_growth_margin": round(margin, 4),
            **{name: [round(float(half), 1) for half in halves(values)] for name, values in [
                ("own_mb_halves", own), ("files_mb_halves", files), ("threads_halves", threads), ("descriptors_halves", descriptors)]},
            "problems": self.problems,
        }, indent=1))
        if not self.problems:
            shutil.rmtree(self.folder)
        return 1 if self.problems else 0


def growth_of(times, sizes, block=30):
    """The growth of a line through medians of ``block`` seconds, as a share of the mean, and its margin: Student's t, 95 %."""
    blocks = ((times - times[0]) // block).astype(int)
    x = np.array([times[blocks == b].mean() for b in np.unique(blocks)])
    y = np.array([np.median(sizes[blocks == b]) for b in np.unique(blocks)])
    if len(x) < 5:
        return 0.0, 0.0 if len(x) < 2 else float(np.ptp(y) / y.mean())
    slope, offset = np.polyfit(x, y, 1)
    noise = y - (slope * x + offset)
    # What is left may still hang together from one block to the next: that many fewer are independent.
    share = max(0.0, float(np.corrcoef(noise[:-1], noise[1:])[0, 1])) if noise.std() > 0 else 0.0
    count = max(4.0, len(x) * (1 - share) / (1 + share))
    error = np.sqrt((noise**2).sum() / (count - 2) / ((x - x.mean()) ** 2).sum())
    quantile = {2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 8: 2.31, 10: 2.23, 15: 2.13, 20: 2.09, 30: 2.04}
    t = next((value for degrees, value in sorted(quantile.items(), reverse=True) if count - 2 >= degrees), 4.30)
    span = times[-1] - times[0]
    return float(slope * span / y.mean()), float(t * error * span / y.mean())


def halves(values):
    """Medians of the first and of the second half."""
    return np.median(values[: len(values) // 2]), np.median(values[len(values) // 2 :])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--slope", type=float, default=0.01, help="largest growth of memory in the last part")
    parser.add_argument("--daemon", default=os.environ.get("HIDRA_DAEMON", str(ROOT / ".build/release/hidrad")))
    parser.add_argument("--encoder", type=Path, default=Path(os.environ.get("HIDRA_HOME", ROOT / ".build/home")) / "encoders/minilm")
    parser.add_argument("--plugin", help=argparse.SUPPRESS)
    parser.add_argument("--index", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.plugin:
        plugin(options.plugin, options.index, options.folder, options.seed)
    else:
        sys.exit(Soak(options).run())


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Kills the daemon, and the plugin that computes a loss, at random moments of a session, and compares what comes of it with an undisturbed
session: heads, adapters, curves and metrics must have the same bits.

    sessions.py --encoder FOLDER [--kills 50] [--plugin Plugins/focal-loss] [--what lora] [--seed 0]
"""

import argparse
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

ROOT = Path(__file__).resolve().parents[2]


class Machine:
    """A home of its own, and the commands on it."""

    def __init__(self, options, home):
        self.bin = Path(options.bin).resolve()
        self.home = home
        self.environment = {**os.environ, "HIDRA_HOME": str(home), "HIDRA_DAEMON": str(self.bin / "hidrad")}
        for name in ("HIDRA_SERVER", "HIDRA_KEY"):
            self.environment.pop(name, None)

    def hidra(self, *arguments, check=True):
        done = subprocess.run(
            [str(self.bin / "hidra"), *arguments, "--json"], env=self.environment, capture_output=True, text=True, timeout=300
        )
        if check and done.returncode != 0:
            raise SystemExit(f"hidra {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return lines[-1] if lines else {}

    def daemon(self):
        """The daemon's process; None without one."""
        try:
            number = int((self.home / "daemon.lock").read_text().split("\n")[0])
            command = Path(f"/proc/{number}/cmdline").read_bytes()
            return number if b"hidrad" in command else None
        except (OSError, ValueError):
            return None

    def kill(self):
        number = self.daemon()
        if number is None:
            return False
        os.kill(number, signal.SIGKILL)
        while Path(f"/proc/{number}").exists() and b"" != Path(f"/proc/{number}/cmdline").read_bytes():
            time.sleep(0.005)
        return True

    def kill_plugin(self, name):
        for plugin in self.hidra("plugin", "ls").get("plugins", []):
            if plugin["name"] == name and plugin["process_id"]:
                try:
                    os.kill(plugin["process_id"], signal.SIGKILL)
                    return True
                except ProcessLookupError:
                    pass
        return False


def rows(path, count, seed):
    """Texts whose first word decides the label, with some that lie."""
    draw = random.Random(seed)
    words = ["a", "b", "c", "d", "e", "f", "g", "h"]
    with open(path, "w") as file:
        file.write("text,first,second\n")
        for index in range(count):
            text = [draw.choice(words) for _ in range(draw.randint(3, 12))]
            first = text[0] if draw.random() < 0.9 else draw.choice(words[:4])
            file.write(f"{' '.join(text)},{words[words.index(first) % 4]},{words[words.index(text[-1]) % 3]}\n")


def document(name, options, plugin):
    trained = {
        "heads": "what: heads",
        "lora": "what: lora\n  lora: {rank: 4, targets: [query, value]}\n  body_learning_rate: 0.001",
        "top": "what: top\n  top: 1\n  body_learning_rate: 0.0005",
    }[options.what]
    loss = f", loss: plugin {plugin}" if plugin else ""
    return f"""hidra: 1
name: {name}
seed: 3
encoder: base
heads:
  {name}-first: {{data: rows.csv, text: text, label: first, holdout: 0.2}}
  {name}-second: {{data: rows.csv, text: text, label: second, holdout: 0.2, kind: mlp, hidden: 32}}
  {name}-third: {{data: rows.csv, text: text, label: first, holdout: 0.2{loss}}}
train:
  {trained}
  epochs: {options.epochs}
  batch: 16
  learning_rate: 0.01
  patience: 1000
checkpoint: {{steps: 7, seconds: 1}}
"""


def outcome(machine, name):
    """What must have the same bits, without names."""
    session = machine.hidra("session", "show", name)["session"]
    heads = [
        {key: head[key] for key in ("digest", "metrics", "epochs", "best_epoch")} for head in session["heads"]
    ]
    adapted = session["adapted_encoder"]
    encoder = machine.hidra("show", adapted) if adapted else {}
    digest = json.dumps(encoder, sort_keys=True).split('"digest": "')[1][:64] if adapted else ""
    return {"heads": heads, "encoder": digest}


def start(machine, folder, name, options, plugin):
    file = folder / f"{name}.yaml"
    file.write_text(document(name, options, plugin))
    machine.hidra("session", "start", str(file))


def state(machine, name):
    session = machine.hidra("session", "show", name)["session"]
    return session["state"], session["phase"], session["step"], session["message"]


def finish(machine, name):
    while True:
        now, phase, step, message = state(machine, name)
        if now != "running":
            if now != "finished":
                raise SystemExit(f"session {name} is {now}: {message}")
            return
        time.sleep(0.02)


def remove(machine, name):
    heads = [head for head in machine.hidra("ls").get("heads", []) if head["name"].startswith(name + "-")]
    for head in heads:
        machine.hidra("rm", head["name"])
    if any(encoder["name"] == name for encoder in machine.hidra("ls").get("encoders", [])):
        machine.hidra("rm", name)
    machine.hidra("session", "rm", name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", required=True, help="folder of the encoder")
    parser.add_argument("--bin", default=str(ROOT / ".build/release"))
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--plugin", help="folder of the plugin that computes a loss")
    parser.add_argument("--what", default="lora", choices=["heads", "lora", "top"])
    parser.add_argument("--rows", type=int, default=240)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    draw = random.Random(options.seed)

    folder = Path(tempfile.mkdtemp(prefix="hidra-kills-"))
    machine = Machine(options, folder / "home")
    plugin = Path(options.plugin).name if options.plugin else None
    try:
        rows(folder / "rows.csv", options.rows, options.seed)
        machine.hidra("start")
        machine.hidra("pull", str(Path(options.encoder).resolve()), "--name", "base")
        if plugin:
            # The plugin trains a head of its own on minilm first.
            machine.hidra("pull", str(Path(options.encoder).resolve()), "--name", "minilm")
            machine.hidra("plugin", "install", str(Path(options.plugin).resolve()))
            machine.hidra("plugin", "start", plugin, "--wait")
            deadline = time.time() + 60
            while True:
                try:
                    start(machine, folder, "whole", options, plugin)
                    break
                except SystemExit as error:
                    if "unavailable" not in str(error) or time.time() > deadline:
                        raise
                    time.sleep(0.1)
        else:
            start(machine, folder, "whole", options, plugin)
        began = time.time()
        finish(machine, "whole")
        length = time.time() - began
        expected = outcome(machine, "whole")
        kills, rounds, places = 0, 0, {}
        while kills < options.kills:
            rounds += 1
            # What was extracted is extracted again, so that this is cut short, too.
            machine.hidra("stop")
            for file in machine.home.glob("features.sqlite*"):
                file.unlink()
            machine.hidra("start")
            if plugin:
                deadline = time.time() + 60
                while True:
                    try:
                        start(machine, folder, "cut", options, plugin)
                        break
                    except SystemExit as error:
                        if "unavailable" not in str(error) or time.time() > deadline:
                            raise
                        time.sleep(0.1)
            else:
                start(machine, folder, "cut", options, plugin)
            before = kills
            while kills < options.kills and kills - before < 12:
                time.sleep(draw.random() * max(0.15, length / 3))
                now, phase, step, message = state(machine, "cut")
                if now != "running":
                    break
                if plugin and draw.random() < 0.3:
                    if machine.kill_plugin(plugin):
                        kills += 1
                        places["plugin"] = places.get("plugin", 0) + 1
                elif machine.kill():
                    kills += 1
                    places[phase] = places.get(phase, 0) + 1
                    # Sometimes again while it starts.
                    machine.hidra("start")
            finish(machine, "cut")
            found = outcome(machine, "cut")
            if found != expected:
                print(json.dumps({"expected": expected, "found": found}, indent=1))
                print(f"round {rounds}, after {kills - before} kills: the session ended with other bytes")
                return 1
            remove(machine, "cut")
            print(f"round {rounds}: {kills - before} kills, the same bytes; {length:.1f} s undisturbed", flush=True)
            if kills == before and length < 0.5:
                raise SystemExit("The session is over before it can be killed: use more --epochs.")
        print(f"{kills} kills ({', '.join(f'{count} in {place}' for place, count in sorted(places.items()))}), {rounds} sessions, all with the same bytes")
        return 0
    finally:
        machine.hidra("stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

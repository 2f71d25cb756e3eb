"""Runs the conformance cases for the programs that are named: README.md says how. The last line counts: N passed, N failed, N skipped."""

import argparse
import inspect
import os
import sys
import time
import traceback
from pathlib import Path

import case_daemon
import case_faults
import case_peer
import case_plugin
import case_training
from daemon import Daemon
from program import Failure, Program
from wire import hidrad

SUITES = (case_training, case_faults, case_peer)


class Agreement:
    """What all programs must have alike."""

    def __init__(self):
        self._known = {}

    def of(self, program):
        def agree(what, value):
            first, known = self._known.setdefault(what, (program.name, value))
            assert known == value, f"{what}: {program.name} has {value}, {first} has {known}"

        return agree


class Run:
    def __init__(self, is_short, names):
        self.passed, self.failed, self.skipped = 0, 0, 0
        self._is_short, self._names = is_short, names

    def cases(self, module, prefix):
        for name, case in inspect.getmembers(module, inspect.isfunction):
            wanted = not self._names or any(part in name for part in self._names)
            if name.startswith(prefix) and wanted and not (self._is_short and getattr(case, "is_long", False)):
                yield case

    def one(self, who, case, *arguments, **more):
        """Whether it held."""
        began, title = time.monotonic(), f"{who}: {case.__doc__}"
        try:
            case(*arguments, **more)
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, Failure) and error.code == "unsupported":
                self.skipped += 1
                print(f"➜ {title}: skipped, {error.message}", flush=True)
                return True
            self.failed += 1
            print(f"✘ {title}", *traceback.format_exc().splitlines(), sep="\n    ", flush=True)
            return False
        self.passed += 1
        print(f"✔ {title} ({time.monotonic() - began:.1f} s)", flush=True)
        return True


def ends(program):
    """the program ends with its input, and with status 0"""
    assert program.end() == 0


def minilm():
    homes = [os.environ.get("HIDRA_HOME") or os.path.expanduser("~/.local/share/hidra")]
    for folder in (os.environ.get("HIDRA_MINILM"), *(os.path.join(home, "encoders/minilm") for home in homes)):
        if folder and os.path.exists(os.path.join(folder, "model.safetensors")):
            return folder
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sdk", action="append", default=[], metavar="NAME=COMMAND", help="a program under test")
    parser.add_argument("--plugin", action="append", default=[], metavar="NAME=COMMAND", help="a plugin, run to its end")
    parser.add_argument("--short", action="store_true", help="without the cases that only wait")
    parser.add_argument("names", nargs="*", help="cases to run, by parts of their names")
    options = parser.parse_args()
    if not os.access(hidrad(), os.X_OK) or minilm() is None:
        print("➜ Conformance skipped: it needs hidrad (HIDRA_DAEMON) and the encoder MiniLM (HIDRA_MINILM or HIDRA_HOME)")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    run, agreement, daemon = Run(options.short, options.names), Agreement(), Daemon(minilm())
    try:
        for case in run.cases(case_daemon, "once_"):
            run.one("daemon", case, daemon)
        for name, command in (sdk.split("=", 1) for sdk in options.sdk):
            program = None
            for case in (case for suite in SUITES for case in run.cases(suite, "case_")):
                program = program or Program(name, command)
                offered = dict(program=program, daemon=daemon, agree=agreement.of(program), command=command)
                if not run.one(name, case, **{key: offered[key] for key in inspect.signature(case).parameters}):
                    program.end()
                    program = None
            if program is not None:
                run.one(name, ends, program)
        for name, command in (plugin.split("=", 1) for plugin in options.plugin):
            for case in run.cases(case_plugin, "plugin_"):
                run.one(name, case, command, daemon)
    finally:
        daemon.stop()
    print(f"{run.passed} passed, {run.failed} failed, {run.skipped} skipped")
    return run.failed > 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())

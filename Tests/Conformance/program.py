"""A program under test, told what to do line by line: README.md says how."""

import os
import select
import shlex
import subprocess


class Failure(Exception):
    """What a program answered with `error`."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Program:
    def __init__(self, name, command, **environment):
        self.name = name
        self._process = subprocess.Popen(
            shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **environment}
        )

    def __call__(self, command, /, seconds=60, **fields):
        """The fields of the answer, each a list. Lists become repeated fields; a dict columns and their values."""
        parts = [command]
        for key, value in fields.items():
            if isinstance(value, dict):
                for column, values in value.items():
                    parts += [f"column={column}", *(f"value={item}" for item in values)]
            elif isinstance(value, (list, tuple, range)):
                parts += [f"{key}={item}" for item in value]
            else:
                parts.append(f"{key}={value}")
        self._process.stdin.write(("\t".join(parts) + "\n").encode())
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            raise Failure("silence", f"the program did not answer {command} in {seconds} s")
        line = self._process.stdout.readline().decode()
        if not line:
            raise Failure("death", f"the program ended at {command}, with status {self._process.wait()}")
        kind, *rest = line.rstrip("\n").split("\t")
        if kind == "error":
            raise Failure(*rest)
        assert kind == "ok", line
        answer = {}
        for key, value in (field.split("=", 1) for field in rest):
            answer.setdefault(key, []).append(value)
        return answer

    def fails(self, command, /, **fields):
        """The code that a command fails with; None where it does not."""
        try:
            self(command, **fields)
        except Failure as failure:
            if failure.code in ("silence", "death"):
                raise
            return failure.code
        return None

    def end(self):
        """Its exit status, once it has nothing more to read."""
        self._process.stdin.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._process.stdout.close()
        return self._process.wait()

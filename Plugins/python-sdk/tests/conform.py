"""The Python client, told what to do by lines on standard input: see Tests/Conformance/README.md."""

import math
import sys
import threading

import numpy as np

import hidra


class Fields:
    def __init__(self, command, pairs):
        self.command, self.pairs = command, pairs

    @classmethod
    def parse(cls, line):
        command, *fields = line.split("\t")
        return cls(command, [tuple(field.split("=", 1)) for field in fields])

    def __getitem__(self, key):
        return next((value for name, value in self.pairs if name == key), "")

    def all(self, key):
        return [value for name, value in self.pairs if name == key]

    def number(self, key, kind=float):
        """None where it is not said."""
        return kind(self[key]) if self[key] else None


def cross_entropy(outputs, truth):
    """The mean loss and its gradients, as README.md says."""
    rows, loss, gradients = len(outputs), 0.0, np.empty(outputs.shape, np.float32)
    if len(truth) != rows:
        raise ValueError(f"{len(truth)} targets for {rows} rows")
    for row, right in enumerate(truth):
        scores = [math.exp(x) for x in outputs[row].tolist()]
        total = 0.0
        for score in scores:
            total += score
        loss -= float(outputs[row, right]) - math.log(total)
        for index, score in enumerate(scores):
            gradients[row, index] = (score / total - (1.0 if index == right else 0.0)) / rows
    return loss / rows, gradients


class Program:
    def __init__(self):
        self.client = self.head = self.state = self.sent = None
        self.labels, self.tables, self.begun = [], {}, {}

    def answer(self, fields):
        try:
            method = getattr(self, "do_" + fields.command, None)
            if method is None:
                return f"error\tunsupported\tThere is no command {fields.command}."
            return "\t".join(["ok", *method(fields)])
        except hidra.HidraError as error:
            code = "internal" if isinstance(error, hidra.InternalError) else error.code  # which may be one not known here
            return f"error\t{code}\t{' '.join(error.message.splitlines())}"
        except Exception as error:
            # What a function of the program's own has raised comes through as it is.
            return f"error\tinternal\t{type(error).__name__}: {error}"

    def do_connect(self, fields):
        self.do_close(fields)
        self.client = hidra.Client(
            fields["home"] or None, start=False, name="hidra-conform python", silence=fields.number("silence") or 30.0
        )
        return ["protocol=1"]

    def do_close(self, fields):
        if self.client is not None:
            self.client.close()
        self.client = self.head = self.sent = None
        return []

    def do_ping(self, fields):
        return [f"clients={self.client.status().clients}"]

    def do_list(self, fields):
        return [f"head={head.name}" for head in self.client.heads()]

    def do_rows(self, fields):
        columns = {}
        for key, value in fields.pairs:
            if key == "column":
                values = columns[value] = []
            elif key == "value":
                values.append(value)
        self.tables[fields["data"]] = columns
        self.sent = None
        return [f"rows={len(values)}"]

    def _sizes(self, fields):
        if fields["kind"] != "mlp":
            return {}
        return dict(hidden=fields.number("hidden", int), dropout=fields.number("dropout"))

    def do_train(self, fields):
        trained = self.client.train(
            self.tables[fields["data"]], name=fields["head"], encoder="minilm", head=fields["kind"] or "linear",
            **self._sizes(fields), epochs=fields.number("epochs", int),
            lr=fields.number("rate"), seed=fields.number("seed", int), batch_size=fields.number("batch", int),
            holdout=fields.number("holdout") or 0.0, replace=True, progress=False,
            loss=cross_entropy if fields["loss"] == "own" else None,
        )  # fmt: skip
        return [f"digest={trained.head.digest}", f"steps={trained.steps}"]

    def do_predict(self, fields):
        return [f"label={answer.label}" for answer in self.client.predict(fields["head"], fields.all("text"), progress=False)]

    def do_attach(self, fields):
        self.labels = fields.all("label") or self.labels
        self.head = self.client.attach(
            fields["head"], run=fields["run"], encoder="minilm", labels=self.labels, head=fields["kind"] or "linear",
            **self._sizes(fields), lr=fields.number("rate") or 0.0,
            seed=fields.number("seed", int) or 0, replace=True, reconnect=10,
        )  # fmt: skip
        self.sent = None
        return [f"run={self.head.run}", f"sequence={self.head.sequence}", f"steps={self.head.steps}"]

    def _rows(self, fields):
        if self.sent != fields["data"]:
            self.head.load(self.tables[fields["data"]])
            self.sent = fields["data"]
        return [int(row) for row in fields.all("row")]

    def do_pass(self, fields):
        return [f"loss={self.head.forward_backward(rows=self._rows(fields)).loss!r}"]

    def do_step(self, fields):
        return [f"steps={self.head.optim_step().steps}"]

    def do_own(self, fields):
        rows = self._rows(fields)
        outputs = self.head.forward(rows=rows, training=True)
        names = self.tables[fields["data"]]["label"]
        loss, gradients = cross_entropy(outputs, [self.labels.index(names[row]) for row in rows])
        return [f"loss={loss!r}", f"steps={self.head.backward(gradients, step=True).steps}"]

    def do_outputs(self, fields):
        return [f"value={x:.9g}" for x in self.head.forward(rows=self._rows(fields)).ravel().tolist()]

    def do_save(self, fields):
        self.state = self.head.save_state()
        return [f"bytes={len(self.state)}"]

    def do_load(self, fields):
        self.head.load_state(self.state)
        return []

    def do_detach(self, fields):
        head = self.head.detach(keep=fields["keep"] == "1")
        return [f"digest={head.digest if head else ''}"]

    def do_events(self, fields):
        until, answer = int(fields["until"] or 0), []
        with self.client.events(int(fields["from"] or 0)) as stream:
            for event in stream:
                answer.append(f"event={event.sequence} {event.name} {event.subject}")
                if event.sequence >= until:
                    return answer
        return answer

    def do_begin(self, fields):
        said = []
        inner = Fields(fields["do"], [pair for pair in fields.pairs if pair[0] not in ("do", "id")])
        thread = threading.Thread(target=lambda: said.append(self.answer(inner)))
        thread.start()
        self.begun[fields["id"]] = inner, thread, said
        return []

    def end(self, fields):
        _, thread, said = self.begun.pop(fields["id"])
        thread.join()
        return said[0]

    def do_cancel(self, fields):
        subject = self.begun[fields["id"]][0]["head"]
        for job in self.client.status().jobs:
            if job.subject == subject:
                self.client.cancel(job.id)
        return []


def main():
    program = Program()
    for line in sys.stdin:
        fields = Fields.parse(line.rstrip("\n"))
        print(program.end(fields) if fields.command == "end" else program.answer(fields), flush=True)
    program.do_close(None)


if __name__ == "__main__":
    main()

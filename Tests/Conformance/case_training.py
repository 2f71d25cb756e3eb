"""Whole trainings and steps, with a daemon: all programs get the same bits."""

import time

from rows import HEAD, LABELS, ROWS, batch
from wire import heads, jobs


def prepared(program, home):
    program("connect", home=home)
    program("rows", data="rows", columns=ROWS)


def case_same_weights_by_train(program, daemon, agree):
    """a training gives the weights that every other program gets, bit for bit"""
    prepared(program, daemon.home)
    for kind in ("linear", "mlp"):
        made = program(
            "train", head=f"{program.name}-{kind}", data="rows", kind=kind, hidden=16, dropout=0.1, epochs=6, rate=0.02, seed=7,
            batch=16, holdout=0.25,
        )  # fmt: skip
        agree(f"train {kind}", made["digest"] + made["steps"])
    answer = program("predict", head=f"{program.name}-mlp", text=["my parcel is late", "the lamp is cracked"])
    agree("predict", answer["label"])


def case_same_weights_by_own_loss(program, daemon, agree):
    """a training with a loss of the program's own gives the weights that every other program gets, bit for bit"""
    prepared(program, daemon.home)
    made = program("train", head=f"{program.name}-own", data="rows", kind="linear", epochs=5, rate=0.02, seed=7, batch=16, loss="own")
    agree("train own", made["digest"] + made["steps"])


def case_same_weights_by_steps(program, daemon, agree):
    """the same batches, verb by verb, give the weights that every other program gets, with the daemon's loss and with its own"""
    prepared(program, daemon.home)
    for way in ("pass", "own"):
        made = program("attach", head=f"{program.name}-{way}", label=LABELS, **HEAD)
        assert (made["sequence"], made["steps"]) == (["0"], ["0"]), made
        losses = []
        for step in range(8):
            losses.append(program(way, **batch(step))["loss"][0])
            if way == "pass":
                assert program("step")["steps"] == [str(step + 1)]
        assert float(losses[-1]) < float(losses[0])
        agree(f"outputs {way}", program("outputs", **batch(0))["value"])
        agree(f"losses {way}", [f"{float(loss):.12g}" for loss in losses])
        agree(f"steps {way}", program("detach", keep=1)["digest"])
        assert f"{program.name}-{way}" in heads(daemon.home)


def case_state(program, daemon, agree):
    """a state that was saved is taken back, and what was done since is as if it had not been"""
    prepared(program, daemon.home)
    program("attach", head=f"{program.name}-state", label=LABELS, **HEAD)
    program("pass", **batch(0))
    program("step")
    before = program("outputs", **batch(1))
    assert int(program("save")["bytes"][0]) > 1000
    program("pass", **batch(1))
    program("step")
    assert program("outputs", **batch(1)) != before
    program("load")
    assert program("outputs", **batch(1)) == before
    program("detach", keep=0)
    assert f"{program.name}-state" not in heads(daemon.home)


def case_refused(program, daemon):
    """what the daemon refuses has changed nothing, and the loop goes on"""
    prepared(program, daemon.home)
    assert program.fails("attach", head="-no name-", label=LABELS, **HEAD) == "invalid_argument"
    program("attach", head=f"{program.name}-refused", label=LABELS, **HEAD)
    assert program.fails("step") == "conflict"
    program("pass", **batch(0))
    assert program.fails("pass", data="rows", row=[4711]) == "invalid_argument"
    assert program("step")["steps"] == ["1"]
    assert program.fails("predict", head="nobody", text="a") == "not_found"
    program("detach", keep=0)


def case_cancel(program, daemon):
    """a training that is cancelled ends with `cancelled` and leaves no head; the connection goes on"""
    prepared(program, daemon.home)
    name = f"{program.name}-long"
    program("begin", id="long", do="train", head=name, data="rows", kind="mlp", epochs=10000, rate=0.0001, batch=1)
    deadline = time.monotonic() + 20
    while (name, "training") not in jobs(daemon.home):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    program("cancel", id="long")
    assert program.fails("end", id="long") == "cancelled"
    while any(subject == name for subject, _ in jobs(daemon.home)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert name not in program("list").get("head", [])

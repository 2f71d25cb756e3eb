"""A daemon behind a proxy that doubles, drops and cuts, and one that dies."""

import time

from program import Failure
from proxy import Proxy
from rows import HEAD, LABELS, ROWS, batch
from wire import Envelope, RawClient

STEPS = 6
NUMBERED = ("forward", "forward_backward", "backward", "optim_step", "load_state")


def prepared(program, home, **options):
    program("connect", home=home, **options)
    program("rows", data="rows", columns=ROWS)


def again(program, home, seconds=10):
    """Connects anew, as a program whose SDK does not do it by itself."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return prepared(program, home)
        except Failure as failure:
            if failure.code != "unavailable" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def train(program, home, way, agree, before=None):
    """All steps of a head, however often the connection is lost; all programs, and all cases, get the same weights."""
    run = program("attach", head=f"{program.name}-fault", label=LABELS, **HEAD)["run"][0]
    step = 0
    while step < STEPS:
        try:
            if way == "own":
                steps = program("own", **batch(step))
            else:
                program("pass", **batch(step))
                if before is not None:
                    before(step)
                steps = program("step")
            step = int(steps["steps"][0])
        except Failure as failure:
            assert failure.code == "unavailable", failure
            again(program, home)
            step = int(program("attach", head=f"{program.name}-fault", run=run)["steps"][0])
    agree(f"faults {way}", program("detach", keep=1)["digest"])


def case_undisturbed(program, daemon, agree):
    """without faults the weights are those that there are with them"""
    prepared(program, daemon.home)
    for way in ("pass", "own"):
        train(program, daemon.home, way, agree)


def case_doubled(program, daemon, agree):
    """every numbered verb that reaches the daemon twice is applied once"""
    with Proxy(daemon) as proxy:
        proxy.requests = lambda envelope, frames: [frames] * (2 if envelope.WhichOneof("kind") in NUMBERED else 1)
        prepared(program, proxy.home)
        for way in ("pass", "own"):
            train(program, proxy.home, way, agree)


def _once_in(count, kinds):
    """True each ``count``-th time that a message of these kinds comes."""
    seen = [0]

    def is_time(envelope):
        if envelope.WhichOneof("kind") not in kinds:
            return False
        seen[0] += 1
        return seen[0] % count == 0

    return is_time


def case_lost_replies(program, daemon, agree):
    """a step whose reply is lost with the connection is not applied again"""
    with Proxy(daemon) as proxy:
        is_time = _once_in(3, ("optim_step_reply", "backward_reply"))

        def lose(envelope, frames):
            if not is_time(envelope):
                return [frames]
            proxy.cut_soon()
            return []

        proxy.replies = lose
        prepared(program, proxy.home)
        for way in ("pass", "own"):
            train(program, proxy.home, way, agree)


def case_lost_requests(program, daemon, agree):
    """a verb that is lost with the connection before the daemon has it is not left out"""
    with Proxy(daemon) as proxy:
        is_time = _once_in(5, NUMBERED)

        def lose(envelope, frames):
            if not is_time(envelope):
                return [frames]
            proxy.cut_soon()
            return []

        proxy.requests = lose
        prepared(program, proxy.home)
        for way in ("pass", "own"):
            train(program, proxy.home, way, agree)


def case_daemon_restart(program, daemon, agree):
    """a daemon that is killed between a pass and its step, and started again, costs no step"""

    def kill(step):
        if step == 3 and not killed:
            killed.append(step)
            daemon.kill()
            daemon.start()

    killed = []
    prepared(program, daemon.home)
    train(program, daemon.home, "pass", agree, before=kill)
    assert killed


def case_reconnect(program, daemon):
    """when the connection is lost, what is open fails or is asked again, and after `connect` all is well"""
    with Proxy(daemon) as proxy:
        program("connect", home=proxy.home)
        program("ping")
        proxy.cut()
        began = time.monotonic()
        assert program.fails("ping") == "unavailable"
        assert time.monotonic() - began < 5, "it waited"
        assert program.fails("connect", home=proxy.home) == "unavailable"
        proxy.restore()
        program("connect", home=proxy.home)
        program("ping")


def case_heartbeats(program, daemon):
    """a program that does nothing sends heartbeats, three at least in the time it allows the daemon to be silent for"""
    with Proxy(daemon) as proxy:
        program("connect", home=proxy.home, silence=0.9)
        before = proxy.seen.count("heartbeat")
        time.sleep(1.1)
        assert proxy.seen.count("heartbeat") - before >= 3, proxy.seen
        program("ping")


def case_silence(program, daemon):
    """a daemon that says nothing any more is given up with `timeout`, in time; slow is not silent"""
    with Proxy(daemon) as proxy:
        program("connect", home=proxy.home, silence=0.6)

        def slowly(envelope, frames):
            if envelope.WhichOneof("kind") == "list_reply":
                held.append(frames)
                return []
            return [frames, *([held.pop()] if held and time.monotonic() > until else [])]

        held, until = [], time.monotonic() + 1.2
        proxy.replies = slowly
        assert program.fails("list") is None
        proxy.replies = lambda envelope, frames: []
        began = time.monotonic()
        assert program.fails("list") == "timeout"
        assert time.monotonic() - began < 4


def case_events(program, daemon):
    """no event is missing or comes twice, though the socket loses every other"""
    with Proxy(daemon) as proxy, RawClient(daemon.home) as client:
        dropped = []

        def passes(event):
            if event.sequence % 2:
                dropped.append(event.sequence)
                return False
            return True

        proxy.events = passes
        request = Envelope()
        request.replay.from_sequence = 0
        newest = client.ask("control", request).replay_reply.newest_sequence
        program("connect", home=proxy.home)
        program("begin", id="events", do="events", **{"from": 1, "until": newest + 8})
        time.sleep(0.3)
        for _ in range(4):
            request = Envelope()
            request.attach.head, request.attach.encoder, request.attach.replace = "event", "minilm", True
            request.attach.labels.extend(LABELS)
            run = client.ask("work", request).attach_reply.run
            request = Envelope()
            request.detach.run = run
            client.ask("work", request)
        events = program("end", id="events").get("event", [])
        while len(events) < newest + 8:
            # A program that does not follow asks for the rest.
            more = program("events", **{"from": len(events) + 1, "until": newest + 8})["event"]
            assert more
            events += more
        assert [int(event.split(" ")[0]) for event in events] == list(range(1, newest + 9)), events
        # A program that does not follow has never subscribed.
        assert dropped or not proxy.is_subscribed
        request = Envelope()
        request.replay.from_sequence = 1
        kept = client.ask("control", request).replay_reply.events
        assert [f"{event.sequence} {event.name} {event.subject}" for event in kept[: newest + 8]] == events


def case_long_pause(program, daemon):
    """a program that is left alone for a while is still there"""
    program("connect", home=daemon.home)
    time.sleep(7)
    program("ping")


case_long_pause.is_long = True

"""The parts that need no daemon: places, frames, open requests, the order of events."""

import os
import pickle

import numpy as np
import pytest

import hidra
from hidra import home, wire
from hidra.events import EventSequencer
from hidra.requests import Call, RequestTable
from hidra.v1 import envelope_pb2 as pb
from hidra.v1 import events_pb2, registry_pb2, work_pb2


@pytest.mark.parametrize(
    "variables, expected",
    [
        ({"HIDRA_HOME": "/a//b/./c/../d/", "HOME": "/x"}, "/a/b/d"),
        ({"HIDRA_HOME": "", "XDG_DATA_HOME": "/data", "HOME": "/x"}, "/data/hidra"),
        ({"XDG_DATA_HOME": "relative", "HOME": "/home/ana"}, "/home/ana/.local/share/hidra"),
        ({"HIDRA_HOME": "//a"}, "/a"),
    ],
)
def test_the_home_is_the_first_that_is_set(monkeypatch, variables, expected):
    for name in ("HIDRA_HOME", "XDG_DATA_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert home.home_path() == expected


def test_a_relative_home_is_relative_to_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HIDRA_HOME", "mine")
    assert home.home_path() == f"{os.getcwd()}/mine"


def test_the_socket_directory_follows_from_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    # The example of proto/README.md.
    assert home.socket_directory("/home/ana/.local/share/hidra") == f"{tmp_path}/hidra-fddb1b73"
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/" + "x" * 100)
    assert home.socket_directory("/home/ana/.local/share/hidra") == f"/tmp/hidra-{os.getuid()}-fddb1b73"


@pytest.mark.parametrize("record", ["", "12", "12\n/run/x", "0\n/run/x\n", "12\nrun/x\n", "12\n/x\n\n", "x\n/run/x\n"])
def test_a_record_that_is_being_written_is_ignored(tmp_path, record):
    derived = home.socket_directory(str(tmp_path))
    (tmp_path / "daemon.lock").write_text("4711\n/run/mine\n")
    assert home.socket_directory(str(tmp_path)) == "/run/mine"
    (tmp_path / "daemon.lock").write_text(record)
    assert home.socket_directory(str(tmp_path)) == derived


def test_a_directory_that_others_may_enter_is_refused(tmp_path):
    os.chmod(tmp_path, 0o755)
    with pytest.raises(hidra.PermissionDeniedError, match="0700"):
        home.check_directory(str(tmp_path))
    os.chmod(tmp_path, 0o700)
    assert home.check_directory(str(tmp_path))
    os.symlink(tmp_path, tmp_path / "link")
    with pytest.raises(hidra.PermissionDeniedError):
        home.check_directory(str(tmp_path / "link"))
    assert not home.check_directory(str(tmp_path / "none"))


def test_the_first_frame_is_that_of_the_specification():
    from hidra.v1 import control_pb2

    hello = control_pb2.Hello(protocol_min=1, protocol_max=1, client="example 1.0")
    (frame,) = wire.encode(1, "hello", hello, {}, 1 << 20)
    assert frame.hex(" ") == "08 01 a2 01 11 08 01 10 01 1a 0b 65 78 61 6d 70 6c 65 20 31 2e 30"


def test_a_message_without_fields_still_has_its_kind():
    (frame,) = wire.encode(7, "list", registry_pb2.ListRequest(), {}, 1 << 20)
    assert pb.Envelope.FromString(frame).WhichOneof("kind") == "list"


@pytest.mark.parametrize(
    "dtype", ["f4", ">f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", ">i8"]
)
def test_tensors_travel_and_come_back(dtype):
    array = np.arange(6).reshape(2, 3).astype(dtype).T
    frames = wire.encode(1, "list", registry_pb2.ListRequest(), {"x": array}, 1 << 20)
    (back,) = wire.decode(frames).arrays().values()
    assert back.dtype == array.dtype.newbyteorder("=") and back.shape == (3, 2)
    np.testing.assert_array_equal(back, array)


def test_bfloat16_becomes_float32_exactly():
    envelope = pb.Envelope(tensors=[pb.TensorFrame(name="x", type=pb.BFLOAT16, shape=[2])])
    (array,) = wire.decode([envelope.SerializeToString(), b"\x80\x3f\x49\xc0"]).arrays().values()
    assert array.dtype == np.float32 and array.tolist() == [1.0, -3.140625]


@pytest.mark.parametrize("array", [np.array(["a"]), np.zeros((1,) * 9), np.array([1j])])
def test_arrays_the_protocol_lacks_are_refused(array):
    with pytest.raises(hidra.InvalidArgumentError):
        wire.encode(1, "list", registry_pb2.ListRequest(), {"x": array}, 1 << 20)


def test_messages_above_the_limit_are_refused_before_they_are_sent():
    with pytest.raises(hidra.LimitExceededError):
        wire.encode(1, "embed", work_pb2.EmbedRequest(texts=["x" * 100]), {}, 64)
    with pytest.raises(hidra.LimitExceededError):
        wire.encode(1, "list", registry_pb2.ListRequest(), {str(i): np.zeros(1) for i in range(64)}, 1 << 20)


def _tensor(**fields):
    return pb.Envelope(tensors=[pb.TensorFrame(name="x", **fields)]).SerializeToString()


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [b"\xff\xff\xff"],
        [b"", b"extra"],
        [_tensor(type=pb.FLOAT32, shape=[2])],
        [_tensor(type=pb.FLOAT32, shape=[2]), b"1234"],
        [_tensor(type=99, shape=[1]), b"1"],
        [_tensor(type=pb.UINT8, shape=[1] * 9), b"1"],
        [_tensor(type=pb.FLOAT32, shape=[2**63, 2**63]), b""],
    ],
)
def test_what_cannot_be_a_message_is_an_error(frames):
    with pytest.raises(hidra.InternalError, match="cannot be read"):
        wire.decode(frames)


def test_the_generated_messages_are_those_of_the_proto_files():
    import importlib
    import re
    from pathlib import Path

    for file in (Path(__file__).resolve().parents[3] / "proto/hidra/v1").glob("*.proto"):
        generated = importlib.import_module(f"hidra.v1.{file.stem}_pb2").DESCRIPTOR
        declared, message, outer = set(), None, None
        for line in re.sub(r"//.*", "", file.read_text(encoding="utf-8")).splitlines():
            opening = re.match(r"(\s*)(?:message|enum) (\w+) \{", line)
            if opening:
                outer, message = message if opening[1] else None, opening[2]
            elif line.startswith("  }") and outer:
                message, outer = outer, None
            field = re.match(r"\s+(?:.*[ >])?(\w+) = (\d+);", line)
            if field and message:
                declared.add((message, field[1], int(field[2])))
        present = {(m.name, f.name, f.number) for m in generated.message_types_by_name.values() for f in m.fields}
        enums = list(generated.enum_types_by_name.values())
        enums += [e for m in generated.message_types_by_name.values() for e in m.enum_types]
        present |= {(e.name, v.name, v.number) for e in enums for v in e.values}
        assert declared == present, f"run proto/generate.sh: {file.name}"
        assert declared


def _reply(id, part=pb.PART_FINAL, **kind):
    return wire.Reply(pb.Envelope(request_id=id, part=part, **kind))


def test_a_call_ends_once():
    table, ends, reports = RequestTable(silence=10), [], []
    table.open(Call(1, ends.append, reports.append))
    assert table.receive(_reply(1, pb.PART_PARTIAL, progress=registry_pb2.Progress(done=3))) is None
    assert [report.done for report in reports] == [3] and not ends
    table.receive(_reply(1, error=pb.Error(code="not_found", message="no", details={"suggestion": "x"})))
    table.receive(_reply(1, list_reply=registry_pb2.ListReply()))
    assert len(ends) == 1 and isinstance(ends[0], hidra.NotFoundError) and ends[0].details == {"suggestion": "x"}


def test_a_cancellation_that_came_too_early_is_repeated():
    table = RequestTable(silence=10)
    table.open(Call(5, lambda outcome: None))
    assert table.cancel(5) and not table.cancel(5)
    assert table.receive(_reply(5, pb.PART_PARTIAL, progress=registry_pb2.Progress())) == 5
    assert table.receive(_reply(5, pb.PART_PARTIAL, progress=registry_pb2.Progress())) is None


def test_deadlines_and_silence_end_calls():
    table, ends = RequestTable(silence=10), []
    table.open(Call(1, ends.append, deadline=5))
    table.open(Call(2, ends.append))
    table.sent(0)
    assert table.next_expiry() == 5
    assert table.expire(4) == [] and table.expire(5) == [1]
    table.receive(_reply(0, heartbeat={}))
    table.sent(8)
    assert table.expire(17) == [] and table.next_expiry() == pytest.approx(18, abs=0.01)
    assert table.expire(18.1) == [] and len(table) == 0
    assert [end.code for end in ends] == ["timeout", "timeout"]


def test_an_unknown_code_counts_as_internal_and_keeps_its_word():
    error = hidra.errors.make_error("from_the_future", "what")
    assert isinstance(error, hidra.InternalError) and error.code == "from_the_future"


@pytest.mark.parametrize("cls", [cls for cls in vars(hidra).values() if isinstance(cls, type) and issubclass(cls, hidra.HidraError)])
def test_errors_survive_pickling(cls):
    error = pickle.loads(pickle.dumps(cls("message", details={"row": "3"})))
    assert type(error) is cls and str(error) == "message" and error.code == cls.code and error.details == {"row": "3"}


def _event(sequence):
    return events_pb2.Event(sequence=sequence)


def _numbers(step):
    return [event.sequence for event in step[0]], step[1]


def test_events_are_put_in_order_and_gaps_are_filled():
    sequencer = EventSequencer(None)
    assert _numbers(sequencer.subscribed()) == ([], None)
    assert _numbers(sequencer.receive(_event(4))) == ([4], None)
    assert _numbers(sequencer.receive(_event(7))) == ([], 5)
    assert _numbers(sequencer.receive(_event(8))) == ([], None)
    assert _numbers(sequencer.replayed([_event(n) for n in (5, 6, 7, 8)])) == ([5, 6, 7, 8], None)
    assert _numbers(sequencer.receive(_event(9))) == ([9], None)
    assert _numbers(sequencer.receive(_event(9))) == ([], None)


def test_what_came_before_is_replayed_once():
    sequencer = EventSequencer(0)
    assert _numbers(sequencer.receive(_event(3))) == ([], None)
    assert _numbers(sequencer.subscribed()) == ([], 0)
    assert _numbers(sequencer.replayed([_event(n) for n in (1, 2, 3)])) == ([1, 2, 3], None)
    assert _numbers(sequencer.subscribed()) == ([], None)


def test_events_the_daemon_no_longer_has_are_passed_over():
    sequencer = EventSequencer(2)
    sequencer.subscribed()
    assert _numbers(sequencer.replayed([_event(10), _event(11)])) == ([10, 11], None)
    assert _numbers(sequencer.receive(_event(14))) == ([], 12)
    assert _numbers(sequencer.replayed([])) == ([14], None)

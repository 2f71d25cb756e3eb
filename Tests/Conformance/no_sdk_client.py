"""A client with no SDK, written from proto/README.md and the .proto files: attaches a head, trains it with a loss of its own, asks it,
and leaves. Needs pyzmq, protobuf and what `protoc -I proto --python_out=FOLDER proto/hidra/v1/*.proto` writes.

    HIDRA_HOME=HOME PYTHONPATH=FOLDER python3 Tests/Conformance/no_sdk_client.py
"""

import os
import secrets
import stat
import struct
import sys

import zmq
from hidra.v1.envelope_pb2 import FLOAT32, PART_PARTIAL, Envelope

TEXTS = ["where is my parcel", "the lamp is broken", "it has not come yet", "it does not switch on", "my order is late", "the screen is cracked"]
LABELS = ["delivery", "fault"] * 3

# Section 1: where the daemon is.
home = os.environ.get("HIDRA_HOME") or os.path.expanduser("~/.local/share/hidra")
with open(os.path.join(home, "daemon.lock")) as record:
    _, directory, _ = record.read().split("\n")
status = os.lstat(directory)
if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
    sys.exit(f"{directory} is not mine alone")

# Section 3: a connection.
context, identity = zmq.Context(), bytes([secrets.randbelow(255) + 1]) + secrets.token_bytes(15)
last_id = 0


def connect(name):
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.ROUTING_ID, identity)
    socket.setsockopt(zmq.RECONNECT_IVL, 600_000)
    socket.setsockopt(zmq.LINGER, 200)
    socket.connect(f"ipc://{directory}/{name}.sock")
    return socket


# Section 4: requests and replies.
def ask(socket, request, *tensors):
    global last_id
    last_id += 1
    request.request_id = last_id
    socket.send_multipart([request.SerializeToString(), *tensors])
    while socket.poll(30_000):
        frame, *replied = socket.recv_multipart()
        reply = Envelope.FromString(frame)
        if reply.request_id != last_id or reply.part == PART_PARTIAL:
            continue
        if reply.HasField("error"):
            sys.exit(f"{reply.error.code}: {reply.error.message}")
        return reply, replied
    sys.exit("hidrad does not answer")


control, work = connect("control"), connect("work")
hello = Envelope()
hello.hello.protocol_min = hello.hello.protocol_max = 1
hello.hello.client = "no SDK 1.0"
ask(control, hello)

# steps.proto: a head that a client trains step by step.
attach = Envelope()
attach.attach.head, attach.attach.encoder, attach.attach.replace = "no-sdk", "minilm", True
attach.attach.labels.extend(["delivery", "fault"])
attach.attach.optimiser.learning_rate = 0.01
run = ask(work, attach)[0].attach_reply.run


def squared_hinge(outputs, truth):
    """Rows whose right output is not ahead of the other by 1 cost the square of what is missing."""
    loss, gradients = 0.0, []
    for row, right in enumerate(truth):
        ahead = outputs[2 * row + right] - outputs[2 * row + 1 - right]
        missing = max(0.0, 1 - ahead)
        loss += missing**2 / len(truth)
        slope = -2 * missing / len(truth)
        gradients += [slope if column == right else -slope for column in (0, 1)]
    return loss, gradients


truth, losses = [["delivery", "fault"].index(label) for label in LABELS], []
for step in range(40):
    forward = Envelope()
    forward.forward.run, forward.forward.sequence = run, 2 * step + 1
    column = forward.forward.batch.columns.add(name="text", values=TEXTS)
    forward.forward.batch.input_column = column.name
    _, (outputs,) = ask(work, forward)
    loss, gradients = squared_hinge(struct.unpack(f"<{2 * len(TEXTS)}f", outputs), truth)
    losses.append(loss)
    backward = Envelope()
    backward.backward.run, backward.backward.sequence, backward.backward.step = run, 2 * step + 2, True
    backward.tensors.add(name="gradients", type=FLOAT32, shape=[len(TEXTS), 2])
    ask(work, backward, struct.pack(f"<{len(gradients)}f", *gradients))

detach = Envelope()
detach.detach.run, detach.detach.keep = run, True
detach.detach.metrics["squared_hinge"] = losses[-1]
head = ask(work, detach)[0].detach_reply.head

predict = Envelope()
predict.predict.heads.append(head.name)
predict.predict.texts.extend(["my package has not arrived", "the handle came off"])
answers = [answer.heads[0].labels[0].label for answer in ask(work, predict)[0].predict_reply.inputs]
print(f"loss {losses[0]:.3f} to {losses[-1]:.3f}; {', '.join(answers)}")

goodbye = Envelope()
goodbye.goodbye.reason = "done"
control.send(goodbye.SerializeToString())
control.close()
work.close()
context.term()

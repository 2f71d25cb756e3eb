"""Plays a daemon that may say anything."""

import os
import tempfile
import threading

import zmq

from wire import Envelope, context, parse


class Peer:
    """Greets, echoes heartbeats and knows one encoder and one head, "h". ``answer(envelope, frames)`` gives the messages (lists of frames)
    for any other request on the work socket; ``welcome`` may change what it says of itself."""

    def __init__(self, answer=None, welcome=None, greet=None, is_silent=False):
        self.home = tempfile.mkdtemp(prefix="hidra-peer-")
        self.answer, self._welcome, self._greet, self.is_silent = answer, welcome, greet, is_silent
        self.requests = []
        self.largest, self.hello = 0, None
        with open(os.path.join(self.home, "daemon.lock"), "w") as record:
            record.write(f"{os.getpid()}\n{self.home}\n")
        self._is_over = threading.Event()
        self._sockets = {}
        for channel, kind in (("control", zmq.ROUTER), ("work", zmq.ROUTER), ("events", zmq.XPUB)):
            socket = self._sockets[channel] = context.socket(kind)
            socket.setsockopt(zmq.LINGER, 0)
            socket.bind(f"ipc://{self.home}/{channel}.sock")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._is_over.set()
        self._thread.join()
        for socket in self._sockets.values():
            socket.close()
        for name in os.listdir(self.home):
            os.unlink(os.path.join(self.home, name))
        os.rmdir(self.home)

    def _run(self):
        poller = zmq.Poller()
        for socket in self._sockets.values():
            poller.register(socket, zmq.POLLIN)
        while not self._is_over.is_set():
            ready = dict(poller.poll(20))
            if self._sockets["events"] in ready:
                self._sockets["events"].recv()
            for channel in ("control", "work"):
                socket = self._sockets[channel]
                while socket in ready and socket.poll(0):
                    name, *frames = socket.recv_multipart()
                    self.largest = max(self.largest, *map(len, frames))
                    for message in self._reply(channel, parse(frames[0]), frames):
                        socket.send_multipart([name, *message])

    def _reply(self, channel, envelope, frames):
        kind = envelope.WhichOneof("kind")
        self.requests.append(kind)
        reply = Envelope(request_id=envelope.request_id)
        if kind == "hello":
            self.hello = envelope.hello
            if self._greet is not None:
                return self._greet(envelope)
            welcome = reply.welcome
            welcome.protocol = welcome.protocol_min = welcome.protocol_max = 1
            welcome.daemon_version, welcome.heartbeat_seconds = "99.0", 10
            welcome.capabilities.extend(["steps", "calls", "classify", "head.linear", "events.replay", "telepathy"])
            if self._welcome is not None:
                self._welcome(welcome)
        elif self.is_silent or kind == "goodbye":
            return []
        elif kind == "heartbeat":
            return [frames]
        elif kind == "list":
            encoder, head = reply.list_reply.encoders.add(), reply.list_reply.heads.add()
            self._records(encoder, head)
        elif kind == "show":
            known = envelope.show.name
            encoder, head = Envelope().show_reply.encoder, Envelope().show_reply.head
            self._records(encoder, head)
            (reply.show_reply.head if known == "h" else reply.show_reply.encoder).CopyFrom(head if known == "h" else encoder)
        elif kind == "append_rows":
            rows = envelope.append_rows
            reply.append_rows_reply.rows = rows.first_row + len(rows.columns[0].values)
        elif kind == "drop_rows":
            reply.drop_rows_reply.rows = 0
        elif self.answer is not None:
            return self.answer(envelope, frames)
        else:
            return []
        return [[reply.SerializeToString()]]

    def _records(self, encoder, head):
        encoder.name, encoder.width, encoder.modality = "minilm", 384, "text"
        head.name, head.encoder, head.task, head.modality = "h", "minilm", "classify", "text"
        head.labels.extend(["a", "b"])
        read = head.inputs.add(encoder="minilm", tap="6", column="text")
        # A form that nobody knows yet.
        read.form = 99

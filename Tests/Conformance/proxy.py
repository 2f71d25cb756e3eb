"""Stands between programs and a daemon, on sockets of its own, and breaks what it is told to."""

import os
import queue
import tempfile
import threading
import time

import zmq

from wire import context, parse


class Proxy:
    """``requests`` and ``replies``: functions of an envelope and its frames, that give the messages to pass on instead (lists of
    frames); None passes all. ``events``: whether an event passes."""

    def __init__(self, daemon):
        self.home = tempfile.mkdtemp(prefix="hidra-proxy-")
        self.requests = self.replies = self.events = None
        self._is_to_cut = self.is_subscribed = False
        self.seen = []  # kinds of the requests that came
        self._daemon, self._commands, self._done = daemon, queue.Queue(), queue.Queue()
        self._fronts, self._backs = {}, {}
        with open(os.path.join(self.home, "daemon.lock"), "w") as record:
            record.write(f"{os.getpid()}\n{self.home}\n")
        self._open()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._tell("stop")
        self._thread.join()
        os.unlink(os.path.join(self.home, "daemon.lock"))
        os.rmdir(self.home)

    def cut(self):
        """Every connection is lost, and nobody listens."""
        self._tell("cut")

    def restore(self):
        self._tell("restore")

    def cut_soon(self):
        """From ``requests`` or ``replies``: a cut after what they give, and back after a moment."""
        self._is_to_cut = True

    def _tell(self, command):
        self._commands.put(command)
        self._done.get(timeout=10)

    def _open(self):
        for channel, kind in (("control", zmq.ROUTER), ("work", zmq.ROUTER), ("events", zmq.XPUB)):
            socket = self._fronts[channel] = context.socket(kind)
            socket.setsockopt(zmq.LINGER, 0)
            socket.bind(f"ipc://{self.home}/{channel}.sock")
        self._subscriber = context.socket(zmq.XSUB)
        self._subscriber.setsockopt(zmq.LINGER, 0)
        self._subscriber.connect(f"ipc://{self._daemon.directory}/events.sock")

    def _close(self):
        for socket in (*self._fronts.values(), *self._backs.values(), self._subscriber):
            if not socket.closed:
                socket.close()
        self._fronts, self._backs = {}, {}
        for channel in ("control", "work", "events"):
            path = f"{self.home}/{channel}.sock"
            if os.path.exists(path):
                os.unlink(path)

    def _back(self, channel, name):
        back = self._backs.get((channel, name))
        if back is None:
            back = self._backs[channel, name] = context.socket(zmq.DEALER)
            back.setsockopt(zmq.ROUTING_ID, name)
            back.setsockopt(zmq.LINGER, 200)
            back.connect(f"ipc://{self._daemon.directory}/{channel}.sock")
        return back

    def _run(self):
        while True:
            try:
                command = self._commands.get_nowait()
            except queue.Empty:
                command = None
            if command in ("cut", "stop"):
                self._close()
            elif command == "restore":
                self._open()
            if command is not None:
                self._done.put(command)
            if command == "stop":
                return
            if not self._fronts:
                self._commands.put(self._commands.get())
                continue
            self._pass_on()
            if self._is_to_cut:
                self._is_to_cut = False
                self._close()
                time.sleep(0.1)
                self._open()

    def _pass_on(self):
        poller = zmq.Poller()
        for socket in (*self._fronts.values(), *self._backs.values(), self._subscriber):
            poller.register(socket, zmq.POLLIN)
        ready = dict(poller.poll(5))
        for channel in ("control", "work"):
            front = self._fronts[channel]
            while front in ready and front.poll(0):
                name, *frames = front.recv_multipart()
                envelope = parse(frames[0])
                self.seen.append(envelope.WhichOneof("kind"))
                for message in self.requests(envelope, frames) if self.requests else [frames]:
                    self._back(channel, name).send_multipart(message)
        for (channel, name), back in list(self._backs.items()):
            while back in ready and back.poll(0):
                frames = back.recv_multipart()
                for message in self.replies(parse(frames[0]), frames) if self.replies else [frames]:
                    self._fronts[channel].send_multipart([name, *message])
        while self._fronts["events"].poll(0):
            self.is_subscribed = True
            self._subscriber.send(self._fronts["events"].recv())
        while self._subscriber.poll(0):
            frames = self._subscriber.recv_multipart()
            if self.events is None or frames[0] != b"events" or self.events(parse(frames[1]).event):
                self._fronts["events"].send_multipart(frames)

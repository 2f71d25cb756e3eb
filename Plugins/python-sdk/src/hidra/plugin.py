"""Plugins: programs whose functions do a part of the daemon's work.

    from hidra.plugin import Plugin

    plugin = Plugin("rare-labels", version="1.0")

    @plugin.loss
    def weighted(outputs, targets): ...                       # → the loss, and its gradients by the outputs

    @plugin.metrics
    def scores(outputs, targets): return {"macro_f1": ...}

    plugin.train("tickets.csv", text="message", label="intent", encoder="minilm", name="intent")

A program that the daemon runs (``plugin.yaml``) shows by ``HIDRA_PLUGIN_TOKEN`` who it is; nothing is to be done for it. It stays
until it is told goodbye: ``plugin.serve()``, or ``plugin.wait()`` when there is nothing to serve.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Type, TypeVar, Union, overload

from .callbacks import Answer, CallBacks
from .client import Client
from .errors import InvalidArgumentError, UnavailableError
from .results import Head, TrainResult
from .session import PLUGIN_HEARTBEAT
from .tables import Data
from .v1 import calls_pb2
from .wire import Reply

F = TypeVar("F", bound=Callable[..., Any])

_log = logging.getLogger("hidra.plugin")


class Plugin:
    """A named program, and its functions. Each may have one argument more, and gets a ``CallContext`` there.

    In a ``with``, it says goodbye at the end; SIGTERM ends the program at once, with exit status 0; and when the daemon that runs
    it says goodbye, the ``with`` ends without an error, whatever was going on.

    ``loss(outputs, targets)``: float32 ``[rows, outputs]`` before any softmax; targets int32 ``[rows]``, or float32 of the
    outputs' shape where the task is multilabel or regression. Returns the mean loss and its gradients ``[rows, outputs]``; or in
    PyTorch (``@plugin.loss(torch=True)``, or a ``torch.nn.Module``) a tensor, and the gradients follow by autograd.

    ``metrics(outputs, targets)``: of all validation rows, then of the test rows; a dict of numbers. The first decides which
    epoch's weights stay: higher is better.

    ``preprocess(texts)``: a list of as many texts, before training and before every prediction. With several columns, as many
    arguments and lists.

    ``postprocess(outputs)``: a prediction for each row: a label, a number, a dict of scores by label, or a list of labels.

    A head with a ``preprocess`` or ``postprocess`` is asked while its plugin serves: ``plugin.serve()``. A plugin that serves also
    computes its ``loss`` for heads of sessions whose document says ``loss: plugin NAME``. After a crash it is asked again for the same
    step, so a loss should depend on its arguments alone.
    """

    def __init__(self, name: str, *, version: str = "", **connection: Any) -> None:
        """``connection``: what ``Client`` takes, such as ``home=`` or ``key=``."""
        self.name = f"{name} {version}".strip()
        self._losses = [name]
        self._connection = connection
        self._functions: Dict[str, Any] = {}
        self._client: Optional[Client] = None
        self._stack = ExitStack()

    @property
    def client(self) -> Client:
        """Connects when it is used first."""
        if self._client is None:
            self._client = Client(**{"heartbeat": PLUGIN_HEARTBEAT, **self._connection, "name": self.name})
        return self._client

    @property
    def _is_dismissed(self) -> bool:
        return self._client is not None and self._client._session.is_dismissed

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    # Functions

    @overload
    def loss(self, function: F) -> F: ...
    @overload
    def loss(self, function: None = None, *, torch: bool = ...) -> Callable[[F], F]: ...
    def loss(self, function: Any = None, *, torch: bool = False) -> Any:
        """The loss that heads are trained with."""

        def register(made: Any) -> Any:
            if torch:
                made.hidra_torch = True
            return self._register("loss", made)

        return register if function is None else register(function)

    def metrics(self, function: F) -> F:
        """What decides which epoch's weights stay, and what is reported."""
        return self._register("metrics", function)

    def preprocess(self, function: F) -> F:
        """What becomes of inputs before the encoder reads them."""
        return self._register("preprocess", function)

    def postprocess(self, function: F) -> F:
        """What becomes of outputs."""
        return self._register("postprocess", function)

    def _register(self, kind: str, function: F) -> F:
        if not callable(function):
            raise InvalidArgumentError(f"@plugin.{kind} decorates a function; it was given a {type(function).__name__}.")
        self._functions[kind] = function
        return function

    # Work

    def train(self, data: Data, **settings: Any) -> TrainResult:
        """``Client.train`` with this plugin's functions."""
        return self.client.train(data, **{**self._functions, **settings})

    def heads(self) -> List[Head]:
        """Those that need this plugin to be asked."""
        return [head for head in self.client.heads() if head.served_by == self.name]

    def serve(self, heads: Union[str, Sequence[str], None] = None) -> None:
        """Does its part of predictions, and of sessions' losses, until the program is told to end (Ctrl-C, SIGTERM, or the daemon's
        goodbye).

        ``heads``: by default those that were trained by a plugin of this name and version. A program that was not started by
        the daemon connects anew when the daemon went away. What a function raises fails the request it was called for.
        """
        kinds = ("preprocess", "postprocess", "loss")
        calls = CallBacks(**{kind: self._functions.get(kind) for kind in kinds})
        if not calls.kinds:
            raise InvalidArgumentError("There is nothing to serve: give the plugin a @loss, @preprocess or @postprocess function.")
        losses = self._losses if "loss" in self._functions else []
        pause = 0.1
        with _ended_by_sigterm():
            while True:
                try:
                    self.client._require("calls", "clients that serve heads")
                    names = [heads] if isinstance(heads, str) else list(heads) if heads is not None else None
                    served = names if names is not None else [head.name for head in self.heads()]
                    if not served and not losses:
                        raise InvalidArgumentError(f"No head needs {self.name}: train one first, or name it with heads=.")
                    self._serve(served, losses, calls)
                    return
                except UnavailableError as error:
                    if self._is_dismissed:
                        _log.info("%s", error)
                        return
                    _log.warning("%s Trying again in %.1f s.", error, pause)
                    time.sleep(pause)
                    pause = min(pause * 2, 5.0)

    def wait(self) -> None:
        """Stays until the program is told to end, as a plugin that the daemon runs must: its heads need nothing more of it."""
        with _ended_by_sigterm():
            try:
                for _ in self.client.events():
                    pass
            except UnavailableError as goodbye:
                _log.info("%s", goodbye)

    def _serve(self, heads: Sequence[str], losses: Sequence[str], calls: CallBacks) -> None:
        answering = calls.answering()

        def answer(reply: Reply) -> Answer:
            try:
                return answering(reply)
            except Exception as error:
                # One request's trouble must not end the others'.
                _log.exception("A call for %s failed.", reply.envelope.call.head)
                return calls_pb2.CallResult(problem=f"{self.name}: {type(error).__name__}: {error}"[:1000]), {}

        request = calls_pb2.ServeRequest(heads=heads, losses=losses)
        self.client._work("serve", request, "serve_reply", calls=answer)

    def __enter__(self) -> Plugin:
        self._stack.enter_context(_ended_by_sigterm())
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: object) -> bool:
        # Told goodbye in the middle of something: that is no failure.
        is_dismissed = isinstance(error, UnavailableError) and self._is_dismissed
        if is_dismissed:
            _log.info("%s", error)
        self.close()
        self._stack.close()
        return is_dismissed


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """The signal by which a plugin is asked to end does so at once, with exit status 0."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> None:
        raise SystemExit(0)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

"""Progress bars, when there is somebody to see them."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Optional, Union

from .results import Progress

Report = Callable[[Progress], None]
Wish = Union[bool, Report]
"""True: a bar on a terminal; False: nothing; or a function of your own."""


@contextmanager
def reporting(wish: Wish) -> Iterator[Optional[Report]]:
    """The function to report to, if any. A bar needs tqdm, and a terminal as standard error."""
    if callable(wish):
        yield wish
        return
    bar = _Bar.make() if wish else None
    try:
        yield bar
    finally:
        if bar is not None:
            bar.close()


class _Bar:
    """One bar for each phase."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._phase = ""
        self._bar: Any = None

    @classmethod
    def make(cls) -> Optional[_Bar]:
        if sys.stderr is None or not sys.stderr.isatty():
            return None
        try:
            from tqdm import tqdm
        except ImportError:
            return None
        return cls(tqdm)

    def __call__(self, progress: Progress) -> None:
        if progress.note:
            self._tqdm.write(progress.note, file=sys.stderr)
        if progress.phase != self._phase:
            self.close()
            self._phase = progress.phase
            is_bytes = progress.unit == "bytes"
            self._bar = self._tqdm(
                desc=progress.phase, total=progress.total or None, unit="B" if is_bytes else " " + progress.unit,
                unit_scale=is_bytes, leave=False,
            )  # fmt: skip
        self._bar.total = progress.total or None
        self._bar.set_postfix(
            {key: f"{progress.metrics[key]:.4g}" for key in ("loss", "validation_score") if key in progress.metrics},
            refresh=False,
        )
        self._bar.update(progress.done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

"""Leaving in time when the agent says so."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from . import checkpoint
from ._errors import DrmpError
from ._logs import by_line, flush_logs

DRAINED = 143
"""Exit code that says: SIGTERM came, and the last checkpoint is written."""

_MAIN: list[Drain] = []


class Drain:
    """Whether the agent has asked this program to leave. True in a condition once it has."""

    def __init__(self) -> None:
        self._requested = threading.Event()
        self._callbacks: list[Callable[[], object]] = []

    @property
    def requested(self) -> bool:
        """Whether SIGTERM has come."""
        return self._requested.is_set()

    def __bool__(self) -> bool:
        return self.requested

    def request(self) -> None:
        """Do what SIGTERM does, such as when another process of this unit has got it. The first call counts."""
        if self._requested.is_set():
            return
        self._requested.set()
        for callback in self._callbacks:
            callback()

    def exit(self) -> NoReturn:
        """Leave as drained: wait for checkpoints that are still being written, flush logs, exit code 143."""
        checkpoint.wait()
        flush_logs()
        raise SystemExit(DRAINED)

    def exit_if_requested(self, step: int | None = None) -> None:
        """Leave as drained if SIGTERM has come; call it right after a checkpoint.

        Args:
            step: Steps that are done: also leaves where `drmp.checkpoint.stops(step)`.
        """
        if self.requested or (step is not None and checkpoint.stops(step)):
            self.exit()


def is_leaving() -> bool:
    """Return whether SIGTERM has come to this program, if it takes it."""
    return any(_MAIN)


def on_drain(callback: Callable[[], object] | None = None) -> Drain:
    """Take SIGTERM, which the agent sends when this program has to leave.

    Without a handler Python ends at once, and as process 1 of a container it does not even do that. With this one, the
    program goes on until it asks: write a last checkpoint where that is safe, then `drain.exit()`. The grace from
    SIGTERM to SIGKILL is the spec's `timeouts.graceSeconds`. Also makes the log's lines appear as they are printed.

    Args:
        callback: Called once, in the main thread and in the middle of whatever it does: set a flag there, no more.

    Raises:
        DrmpError: The first call is not made in the main thread, which alone may take signals.
    """
    if not _MAIN:
        if threading.current_thread() is not threading.main_thread():
            raise DrmpError("on_drain() was first called outside of the main thread: call it there, at the start.")
        drain = Drain()
        before = signal.getsignal(signal.SIGTERM)

        def handle(number: int, frame: FrameType | None) -> Any:
            drain.request()
            if callable(before) and before is not signal.default_int_handler:
                before(number, frame)

        signal.signal(signal.SIGTERM, handle)
        by_line()
        _MAIN.append(drain)
    drain = _MAIN[0]
    if callback is not None:
        drain._callbacks.append(callback)
        if drain.requested:
            callback()
    return drain

"""Ctrl-C and SIGTERM as an event: what runs is brought to its end, not cut."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def told_by_signals(told: threading.Event) -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event; a second one acts as before. Only the main thread can be told so."""
    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()
        restore()

    for number in before:
        signal.signal(number, tell)
    try:
        yield told
    finally:
        restore()

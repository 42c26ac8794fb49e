"""Waiting in tests: on a condition, with a deadline."""

import time
from collections.abc import Callable

PAUSE = 0.1  # seconds between two looks


def eventually(condition: Callable[[], object], what: str = "it came to be", *, deadline: float) -> float:
    """Wait until the condition holds; the seconds that it took. After `deadline` seconds it fails, and says `what`."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < deadline, f"not within {deadline} s: {what}"
        time.sleep(PAUSE)
    return time.monotonic() - began

"""The servers of the local stack as a fault sees them: processes that are killed, and start again by themselves."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import TypeVar

import psutil

from questlog.errors import FaultError
from questlog.settings import Settings
from questlog.stack.supervise import Supervisor

DEADLINE = 60.0  # seconds until what a fault waits for is there
PAUSE = 0.02  # seconds between two looks

Found = TypeVar("Found")


def pid(settings: Settings, name: str) -> int | None:
    """The process of a server; None while there is none."""
    return Supervisor(settings).program(name).pid


def process(settings: Settings, name: str) -> psutil.Process:
    """The process of a server, waited for: it may be about to start again.

    Raises:
        FaultError: there is none within `DEADLINE` seconds.
    """
    return wait_for(lambda: _process(pid(settings, name)), f"a process of {name}")


def kill(settings: Settings, name: str) -> None:
    """Kill a server with -9."""
    process(settings, name).kill()


def terminate(settings: Settings, name: str) -> None:
    """Ask a server to end."""
    process(settings, name).send_signal(signal.SIGTERM)


def kill_a_child(settings: Settings, name: str) -> None:
    """Kill one of the processes that a server has started, with -9.

    Raises:
        FaultError: it has none within `DEADLINE` seconds.
    """
    parent = process(settings, name)
    wait_for(parent.children, f"a process that {name} has started")[-1].kill()


def suspend(settings: Settings, name: str, seconds: float) -> None:
    """Hold a server still for so long."""
    held = process(settings, name)
    held.suspend()
    try:
        psutil.wait_procs([held], timeout=seconds)
    finally:
        held.resume()


def wait_for(look: Callable[[], Found | None], what: str, deadline: float = DEADLINE) -> Found:
    """What `look` finds, once it finds something.

    Raises:
        FaultError: it does not, within `deadline` seconds.
    """
    ends = time.monotonic() + deadline
    while not (found := look()):
        if time.monotonic() > ends:
            raise FaultError(f"waited {deadline:g} s in vain for {what}")
        time.sleep(PAUSE)
    return found


def _process(number: int | None) -> psutil.Process | None:
    try:
        return psutil.Process(number) if number else None
    except psutil.NoSuchProcess:
        return None

"""The processes of one stack, found by what they inherit: also those whose supervisor was killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "STACK_OF_QUESTLOG"  # variable that every process of a stack inherits; its value is the data folder
ENDS, KILLED = 12.0, 5.0  # seconds within which a process is gone, once asked to end, once killed


def of_stack(data_dir: Path) -> Iterator[psutil.Process]:
    """Every process that was started for this data folder, and those started by it in turn."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(data_dir):
                yield process
        except psutil.Error:  # another user's, or gone meanwhile
            continue


def end_all(data_dir: Path) -> int:
    """End what is left of a stack, by force if need be, wait until it is gone, and say how many processes that were."""
    left = list(of_stack(data_dir))
    _each(left, psutil.Process.terminate)
    _, stubborn = psutil.wait_procs(left, timeout=ENDS)
    _each(stubborn, psutil.Process.kill)
    psutil.wait_procs(stubborn, timeout=KILLED)
    return len(left)


def memory(pid: int) -> int | None:
    """Resident memory of a process and those that it started, in bytes; None when it is gone."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return None
    return sum(_resident(member) for member in family)


def _each(family: Iterable[psutil.Process], action: Callable[[psutil.Process], None]) -> None:
    for process in family:
        with suppress(psutil.NoSuchProcess):
            action(process)


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0

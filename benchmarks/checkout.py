"""A checkout of the project as a process: its own interpreter and stack, and functions of this folder called in it.

The process runs the benchmark's code of *this* checkout with `questlog` of the other one, which its interpreter finds.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import stage
from questlog.errors import NotReady, QuestlogError, SetupError
from questlog.paths import ROOT

LONGEST = 1800.0
"""Seconds that one call may take."""

T = TypeVar("T")


class Checkout:
    """Calls functions, whose first argument is the stack's settings, in the process of a checkout."""

    def __init__(self, connection: Connection, python: Path) -> None:
        self._connection, self._python = connection, python

    def call(self, function: Callable[..., T], *args: object) -> T:
        """What the function returns there; the stack is started before the first.

        Raises:
            NotReady: the process has ended, or it takes longer than `LONGEST`.
        """
        try:
            self._connection.send((function, args))
            if self._connection.poll(LONGEST):
                answer: T = self._connection.recv()
                return answer
        except (EOFError, OSError):
            raise NotReady(f"{self._python} ended while it ran {function.__name__}; the reason is above") from None
        raise NotReady(f"{function.__name__} took longer than {LONGEST:g} s with {self._python}")


def python_of(folder: Path) -> Path:
    """The interpreter of a checkout.

    Raises:
        SetupError: the checkout has none.
    """
    python = folder.absolute() / ".venv" / "bin" / "python"
    if not python.exists():
        raise SetupError(f"{python} does not exist: run scripts/setup in {folder} first")
    return python


@contextmanager
def running(python: Path) -> Iterator[Checkout]:
    """The process of a checkout, with a stack of its own, which is removed when the block ends."""
    ours, theirs = Pipe()
    command = [str(python), "-m", __name__, str(theirs.fileno())]
    with subprocess.Popen(command, cwd=ROOT, pass_fds=[theirs.fileno()]), ours:
        theirs.close()
        yield Checkout(ours, python)


def _serve(connection: Connection) -> None:
    """Call what is asked for until the other end is closed."""
    with stage.everything(given=False) as settings:
        while True:
            try:
                function, args = connection.recv()
            except EOFError:
                return
            answer: Any = function(settings, *args)
            connection.send(answer)


if __name__ == "__main__":
    try:
        _serve(Connection(int(sys.argv[1])))
    except QuestlogError as error:
        sys.exit(f"{type(error).__name__}: {error}")

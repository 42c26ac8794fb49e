"""A checkout of the project as a process: its own interpreter and stack, and functions of this folder called in it.

The process runs the benchmark's code of *this* checkout with `questlog` of the other one, which its interpreter finds.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.commands import questlog
from questlog.errors import NotReady, QuestlogError, SetupError
from questlog.settings import Settings

LONGEST = 1800.0
"""Seconds that one call may take."""

ROOT = Path(__file__).parent.parent
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


@contextmanager
def _stack() -> Iterator[Settings]:
    """The checkout's own servers, in a temporary folder and on free ports."""
    names = [name for name in Settings.model_fields if name.endswith("_port") and name != "spark_ui_port"]
    with tempfile.TemporaryDirectory(prefix="questlog-bench-") as folder:
        settings = Settings.load(data_dir=Path(folder) / "data", **{name: _free_port() for name in names})
        try:
            questlog(settings, "up")
            yield settings
        finally:
            questlog(settings, "down", "--wipe")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _serve(connection: Connection) -> None:
    """Call what is asked for until the other end is closed."""
    with _stack() as settings:
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

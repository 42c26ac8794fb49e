"""A stream as the child of its supervisor: started ahead of its turn if need be, told when that has come, and watched.

The child holds the reading end of a pipe, the *lifeline*. One byte in it says that the child's turn has come. When the
supervisor dies, by kill -9 too, the pipe is closed, and the child lands its batch and ends.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import IO

from questlog.settings import Settings

LOOK_SECONDS = 0.1
ENDS = 5.0
"""Seconds for a child whose turn never came to put its scratch files away."""
TURN = b"!"

Command = Callable[[int], Sequence[str]]
"""The command line of the child, for the number of the lifeline's file descriptor."""


class Child:
    """One process of the stream, from its start to its end; what it says on stderr goes on to ours.

    Args:
        settings: the child's.
        command: gives its command line.
    """

    def __init__(self, settings: Settings, command: Command) -> None:
        self.words = ""
        """The last line that it said."""
        reading, self._lifeline = os.pipe()
        try:
            # In a session of its own: the terminal's Ctrl-C reaches the supervisor alone.
            self._process = subprocess.Popen(
                command(reading),
                env=settings.environment(),
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                pass_fds=(reading,),
                start_new_session=True,
            )
        except OSError:
            os.close(self._lifeline)
            raise
        finally:
            os.close(reading)
        assert self._process.stderr is not None
        self._reader = threading.Thread(target=self._pass_on, args=(self._process.stderr,))
        self._reader.start()

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def take_turn(self) -> None:
        """Tell it that it is the stream now."""
        with contextlib.suppress(BrokenPipeError):  # it has died: its status will tell
            os.write(self._lifeline, TURN)

    def watch(self, told: threading.Event, look: Callable[[], object]) -> int:
        """Its exit status, once it has ended; told to stop, it is given the time to land its batch.

        `look` is called every `LOOK_SECONDS` while it runs.
        """
        while self.runs and not told.wait(LOOK_SECONDS):
            look()
        if self.runs:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait()

    def close(self) -> None:
        """Close its lifeline, and kill what does not end by that: a JVM without its driver must not go on writing."""
        os.close(self._lifeline)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()

    def _pass_on(self, said: IO[str]) -> None:
        with said:
            for line in said:
                sys.stderr.write(line)
                sys.stderr.flush()
                self.words = line.strip() or self.words


def has_turn(lifeline: int) -> bool:
    """In the child: whether its turn has come, or the supervisor has died; it does not wait."""
    return bool(select.select([lifeline], [], [], 0)[0])


def await_turn(lifeline: int) -> bool:
    """In the child: wait for its turn; False when the supervisor died instead."""
    return os.read(lifeline, len(TURN)) == TURN


def hold(lifeline: int, told: threading.Event) -> None:
    """In the child: set the event when the supervisor dies."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(lifeline, 1)
        told.set()

    threading.Thread(target=wait, name="questlog-lifeline", daemon=True).start()

"""A stream as the child of its supervisor: started, watched, ended.

The child holds the reading end of a pipe, the *lifeline*. When the supervisor dies, by kill -9 too, the pipe is closed,
and the child lands its batch and ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO

from questlog.settings import Settings

ENDS = 5.0
"""Seconds for a child that is closed to put its scratch files away."""

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
        self.began = time.monotonic()
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

    def tell(self) -> None:
        """Tell it to land its batch and end."""
        if self.runs:
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait until it has ended; its exit status."""
        return self._process.wait()

    def close(self) -> int:
        """Close its lifeline, and kill what does not end by that, its JVM included; its exit status."""
        os.close(self._lifeline)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        status = self._process.wait()
        self._reader.join()
        return status

    def _pass_on(self, said: IO[str]) -> None:
        with said:
            for line in said:
                sys.stderr.write(line)
                sys.stderr.flush()
                self.words = line.strip() or self.words


def hold(lifeline: int, told: threading.Event) -> None:
    """In the child: set the event when the supervisor dies."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(lifeline, 1)
        told.set()

    threading.Thread(target=wait, name="questlog-lifeline", daemon=True).start()

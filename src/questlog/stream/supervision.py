"""The stream's supervisor: a process that starts the stream as its child, and starts it again when it has died.

A stream that has lost Kafka, HDFS, the metastore or Presto for longer than their clients wait, or whose driver or JVM
is gone, ends; a new one goes on from the checkpoint, and landing sees to it that each event stays one row. The pause
before a restart doubles from `Settings.restart_pause` up to `Settings.restart_longest_pause`, and is short again after
a stream that ran for `Settings.restart_healthy` seconds. To start a stream again that was *refused* would not help: the
child says so by its exit status.

The child holds the reading end of a pipe, the *lifeline*. When the supervisor dies, by kill -9 too, the pipe is closed,
and the child lands its batch and ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from questlog.settings import Settings
from questlog.stream.faults import IN_A_FILE
from questlog.stream.signals import told_by_signals

REFUSED = 78
"""Exit status of a stream that need not be started again; ``EX_CONFIG`` of BSD's sysexits."""
LOOK_SECONDS = 0.1
MOST_DOUBLINGS = 16


@dataclass(frozen=True)
class Restart:
    """Why the stream is started again: what its last words were, the pause before, and how often it has died so."""

    reason: str
    pause: float
    deaths: int

    def __str__(self) -> str:
        return f"the stream died ({self.reason}): it is started again in {self.pause:.0f} s, try {self.deaths}"


Command = Callable[[int], Sequence[str]]
"""The command line of the child, for the number of the lifeline's file descriptor."""


def supervise(
    settings: Settings,
    command: Command,
    *,
    on_restart: Callable[[Restart], object],
    stop: threading.Event | None = None,
) -> int:
    """Keep the stream running until it ends by itself, is refused, or Ctrl-C, SIGTERM or `stop` ends both.

    A `Settings.fault_point` strikes the first child alone, unless it is in a file. Each restart is also a line of JSON
    in `log_path`.

    Returns:
        The exit status of the last child: 0, `REFUSED`, or what it was when the supervisor was told to stop.
    """
    deaths, here = 0, settings
    with told_by_signals(stop or threading.Event()) as told:
        while True:
            began = time.monotonic()
            status, words = _Child(here, command).run(told)
            if told.is_set() and status == -signal.SIGTERM:  # it was only starting, and had nothing to land
                return 0
            if status in (0, REFUSED) or told.is_set():
                return status
            if not settings.fault_point.startswith(IN_A_FILE):  # a point in a file is taken out at the kill
                here = settings.in_namespace(settings.namespace, fault_point="")
            deaths = 1 if time.monotonic() - began >= settings.restart_healthy else deaths + 1
            restart = Restart(_reason(status, words), pause(settings, deaths), deaths)
            _log(settings, restart)
            on_restart(restart)
            if told.wait(restart.pause):
                return 0


def pause(settings: Settings, deaths: int) -> float:
    """Seconds before the restart after so many deaths in a row."""
    doubled: float = settings.restart_pause * 2 ** min(deaths - 1, MOST_DOUBLINGS)
    return min(doubled, settings.restart_longest_pause)


def log_path(settings: Settings) -> Path:
    """The file to which restarts are written."""
    return settings.logs_dir / f"stream-{settings.namespace}.log"


def restarts(settings: Settings) -> list[Restart]:
    """The restarts that the log of this machine tells, oldest first."""
    if not log_path(settings).exists():
        return []
    told = [json.loads(line) for line in log_path(settings).read_text("utf-8").splitlines()]
    return [Restart(each["reason"], each["pause"], each["deaths"]) for each in told]


def hold(lifeline: int, told: threading.Event) -> None:
    """In the child: set the event when the supervisor dies."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            os.read(lifeline, 1)
        told.set()

    threading.Thread(target=wait, name="questlog-lifeline", daemon=True).start()


@dataclass
class _Child:
    """One run of the stream; what it says on stderr goes on to ours, and the last line that says anything is kept."""

    settings: Settings
    command: Command
    _last: str = field(default="", init=False)

    def run(self, told: threading.Event) -> tuple[int, str]:
        """Its exit status and last words; told to stop, it is given the time to land its batch."""
        with self._started() as child:
            assert child.stderr is not None
            reader = threading.Thread(target=self._pass_on, args=(child.stderr,))
            reader.start()
            while child.poll() is None and not told.wait(LOOK_SECONDS):
                pass
            if told.is_set() and child.poll() is None:
                child.send_signal(signal.SIGTERM)
            status = child.wait()
            _sweep(child)
            reader.join()
            return status, self._last

    @contextlib.contextmanager
    def _started(self) -> Iterator[subprocess.Popen[str]]:
        """In a session of its own: the terminal's Ctrl-C reaches the supervisor alone."""
        reading, writing = os.pipe()
        try:
            with subprocess.Popen(
                self.command(reading),
                env=self.settings.environment(),
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                pass_fds=(reading,),
                start_new_session=True,
            ) as child:
                os.close(reading)
                try:
                    yield child
                finally:
                    _sweep(child)
        finally:
            os.close(writing)

    def _pass_on(self, said: IO[str]) -> None:
        for line in said:
            sys.stderr.write(line)
            sys.stderr.flush()
            self._last = line.strip() or self._last


def _sweep(child: subprocess.Popen[str]) -> None:
    """Kill what is left of its session: a JVM without its driver must not go on writing."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _reason(status: int, words: str) -> str:
    if status < 0:
        return f"killed by signal {-status}"
    return words or f"exit status {status}"


def _log(settings: Settings, restart: Restart) -> None:
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    line = {"time": datetime.now(UTC).isoformat(), "event": "restart", **vars(restart)}
    with log_path(settings).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")

"""The stream's supervisor: a process that starts the stream as its child, and starts it again when it has died.

A stream that has lost Kafka, HDFS, the metastore or Presto for longer than their clients wait, or whose driver or JVM
is gone, ends; a new one goes on from the checkpoint, and landing sees to it that each event stays one row. The pause
before a restart doubles from `Settings.restart_pause` up to `Settings.restart_longest_pause`, and is short again after
a stream that ran for `Settings.restart_healthy` seconds. To start a stream again that was *refused* would not help: the
child says so by its exit status.

Most of a start's time is Spark's own. So a second child, the *standby*, is started once the first has run for
`Settings.standby_after` seconds: it starts its Spark, rehearses (`questlog.stream.rehearsal`) and waits for its turn,
which comes when the first has died. Nothing that it does before can be seen in a table.
"""

from __future__ import annotations

import contextlib
import json
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from questlog.settings import Settings
from questlog.stream.child import Child, Command
from questlog.stream.faults import IN_A_FILE
from questlog.stream.signals import told_by_signals

REFUSED = 78
"""Exit status of a stream that need not be started again; ``EX_CONFIG`` of BSD's sysexits."""
MOST_DOUBLINGS = 16
START, RESTART, READY = "start", "restart", "ready"
"""What the log tells: a supervisor began; it started the stream again; a standby waits for its turn."""


@dataclass(frozen=True)
class Restart:
    """Why the stream is started again: what its last words were, the pause before, and how often it has died so."""

    reason: str
    pause: float
    deaths: int

    def __str__(self) -> str:
        return f"the stream died ({self.reason}): it is started again in {self.pause:.0f} s, try {self.deaths}"


def supervise(
    settings: Settings,
    command: Command,
    *,
    on_restart: Callable[[Restart], object],
    stop: threading.Event | None = None,
) -> int:
    """Keep the stream running until it ends by itself, is refused, or Ctrl-C, SIGTERM or `stop` ends both.

    A `Settings.fault_point` strikes the first child alone, unless it is in a file. `log_path` has
    a line of JSON for each restart, and each standby that is ready.

    Returns:
        The exit status of the last child: 0, `REFUSED`, or what it was when the supervisor was told to stop.
    """
    deaths = 0
    _log(settings, START)
    with told_by_signals(stop or threading.Event()) as told, contextlib.closing(_Standby(settings, command)) as standby:
        child = Child(settings, command)
        while True:
            began = time.monotonic()
            with contextlib.closing(child):
                child.take_turn()
                status = child.watch(told, standby.look)
            if told.is_set() and status == -signal.SIGTERM:  # it was only starting, and had nothing to land
                return 0
            if status in (0, REFUSED) or told.is_set():
                return status
            deaths = 1 if time.monotonic() - began >= settings.restart_healthy else deaths + 1
            restart = Restart(_reason(status, child.words), pause(settings, deaths), deaths)
            _log(settings, RESTART, **vars(restart))
            on_restart(restart)
            if told.wait(restart.pause):
                return 0
            child = standby.taken()


def pause(settings: Settings, deaths: int) -> float:
    """Seconds before the restart after so many deaths in a row."""
    doubled: float = settings.restart_pause * 2 ** min(deaths - 1, MOST_DOUBLINGS)
    return min(doubled, settings.restart_longest_pause)


def log_path(settings: Settings) -> Path:
    """The file to which restarts are written."""
    return settings.logs_dir / f"stream-{settings.namespace}.log"


def restarts(settings: Settings) -> list[Restart]:
    """The restarts that the log of this machine tells, oldest first."""
    told = [line for line in _told(settings) if line["event"] == RESTART]
    return [Restart(line["reason"], line["pause"], line["deaths"]) for line in told]


def is_standing_by(settings: Settings) -> bool:
    """Whether a standby has said that it is ready, and its turn has not come since."""
    return [line["event"] for line in _told(settings)][-1:] == [READY]


def log_ready(settings: Settings) -> None:
    """In a standby: say that it waits for its turn."""
    _log(settings, READY)


class _Standby:
    """The child that is to be the stream next, once there is one."""

    def __init__(self, settings: Settings, command: Command) -> None:
        # A point in a file is taken out at the kill; any other would kill each child at the same batch.
        in_a_file = settings.fault_point.startswith(IN_A_FILE)
        self._settings = settings if in_a_file else settings.in_namespace(settings.namespace, fault_point="")
        self._command = command
        self._child: Child | None = None
        self._since = time.monotonic()

    def look(self) -> None:
        """Start it when it is time to; one that has died is another's beginning."""
        if self._child and not self._child.runs:
            self.close()
        after = self._settings.standby_after
        if after and not self._child and time.monotonic() - self._since >= after:
            self._child = Child(self._settings, self._command)

    def taken(self) -> Child:
        """The child whose turn it is: this one, or one that only starts."""
        child, self._child, self._since = self._child, None, time.monotonic()
        return child or Child(self._settings, self._command)

    def close(self) -> None:
        """End it, if there is one."""
        if self._child:
            self._child.close()
        self._child, self._since = None, time.monotonic()


def _reason(status: int, words: str) -> str:
    if status < 0:
        return f"killed by signal {-status}"
    return words or f"exit status {status}"


def _log(settings: Settings, event: str, **what: object) -> None:
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    line = {"time": datetime.now(UTC).isoformat(), "event": event, **what}
    with log_path(settings).open("a", encoding="utf-8") as log:
        log.write(json.dumps(line) + "\n")


def _told(settings: Settings) -> list[dict[str, Any]]:
    with contextlib.suppress(FileNotFoundError):
        return [json.loads(line) for line in log_path(settings).read_text("utf-8").splitlines()]
    return []

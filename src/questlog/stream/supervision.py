"""The stream's supervisor: a process that starts the stream as its child, and starts it again when it has died.

A stream that has lost Kafka, HDFS, the metastore or Presto for longer than their clients wait, or whose driver or JVM
is gone, ends. A new one goes on from the checkpoint, and the sink sees to it that each event stays one row. The pause
before a restart doubles from `Settings.restart_pause` up to `Settings.restart_longest_pause`, and is short again after
a stream that ran for `Settings.restart_healthy` seconds. To start a stream again that was *refused* would not help: the
child says so by its exit status.

Most of a start's time is Spark's own. So a second child, the *standby*, is started `Settings.standby_after` seconds
after the first. Both run the same command: the one that has no writer lease waits for it, warm.
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
"""What the log tells: a supervisor began; it starts a stream again; a standby waits for the writer lease."""
LOOK_SECONDS = 0.1


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
    """Keep the stream and its standby running until one ends by itself, is refused, or Ctrl-C, SIGTERM or `stop` comes.

    A `Settings.fault_point` strikes the first child alone, unless it is in a file. `log_path` has a line of JSON for
    each restart, and each standby that is ready.

    Returns:
        The exit status of the child that ended it: 0, `REFUSED`, or what it was when the supervisor was told to stop.
    """
    _log(settings, START)
    children, deaths, due = [Child(settings, command)], 0, time.monotonic() + settings.standby_after
    with told_by_signals(stop or threading.Event()) as told:
        try:
            while not told.wait(LOOK_SECONDS):
                for child in [each for each in children if not each.runs]:
                    children.remove(child)
                    status = child.close()
                    if status in (0, REFUSED):
                        return status
                    deaths = 1 if time.monotonic() - child.began >= settings.restart_healthy else deaths + 1
                    restart = Restart(_reason(status, child.words), pause(settings, deaths), deaths)
                    _log(settings, RESTART, **vars(restart))
                    on_restart(restart)
                    due = time.monotonic() + (settings.standby_after if children else restart.pause)
                if time.monotonic() >= due and len(children) < (2 if settings.standby_after else 1):
                    children.append(Child(_without_fault(settings), command))
                    due = time.monotonic() + settings.standby_after
            for child in children:  # all before one has ended: the standby would take over
                child.tell()
            statuses = [child.wait() for child in children]
            return next((status for status in statuses if status not in (0, -signal.SIGTERM)), 0)
        finally:
            for child in children:
                child.close()


def _without_fault(settings: Settings) -> Settings:
    """A point in a file is taken out at the kill; any other would kill each child at the same batch."""
    in_a_file = settings.fault_point.startswith(IN_A_FILE)
    return settings if in_a_file else settings.in_namespace(settings.namespace, fault_point="")


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
    """Whether a standby has said that it is ready, and no child has died since."""
    return [line["event"] for line in _told(settings)][-1:] == [READY]


def log_ready(settings: Settings) -> None:
    """In a standby: say that it waits for the writer lease."""
    _log(settings, READY)


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

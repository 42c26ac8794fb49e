"""What a chapter does to running processes, to show what becomes of the events: one is held still, one is killed."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psutil

from questlog.book import sender
from questlog.errors import BookError, QuestlogError
from questlog.settings import Settings
from questlog.stack import local
from questlog.transport import reader

STILL = 2.0  # seconds for which Kafka stands still before a sender is killed
SHOWN = 2000  # characters of what a process said on its way down
WRITTEN = 10.0  # seconds until an answered request's line is in the log
POLL_INTERVAL = 0.05  # seconds between two looks


@contextmanager
def suspended(settings: Settings, name: str) -> Iterator[bool]:
    """Hold a server of the local stack still while the block runs (SIGSTOP, then SIGCONT).

    Gives False, and does nothing, where the stack has no such process: it may run in containers, or on a cluster.
    """
    with _still(_process(settings, name)) as is_still:
        yield is_still


@contextmanager
def _still(process: psutil.Process | None) -> Iterator[bool]:
    if process is None:
        yield False
        return
    process.suspend()
    try:
        yield True
    finally:
        process.resume()


@dataclass(frozen=True)
class Killed:
    """Ids of the events that a killed sender had answered with ok, and those of these that are in Kafka."""

    told: frozenset[str]
    found: frozenset[str]

    @property
    def told_ok(self) -> int:
        """How many events were answered with ok."""
        return len(self.told)

    @property
    def in_kafka(self) -> int:
        """How many of these are there."""
        return len(self.found)

    @property
    def lost(self) -> int:
        """Events whose client believes that they are stored, and which are nowhere."""
        return self.told_ok - self.in_kafka

    def __str__(self) -> str:
        return f"told ok {self.told_ok:,}, in Kafka {self.in_kafka:,}"


def kill_while_sending(settings: Settings, how: str, answers: int) -> Killed:
    """Start `questlog.book.sender`, kill it with -9 after so many answers, and look for their events in the topic.

    Kafka is held still for the last moments before, as it stands still when it has a pause or changes its leader: what
    a sender says then does not depend on how fast this machine is.

    Args:
        how: one of `sender.WAITING`, `sender.HASTY`

    Raises:
        BookError: the sender ended by itself; quotes what it said.
        TransportError: the topic cannot be read.
    """
    command = [sys.executable, "-m", sender.__name__, how]
    pipe = subprocess.PIPE
    kafka = _process(settings, "kafka")  # before the sender runs, which goes on while it is looked for
    with subprocess.Popen(command, env=settings.environment(), stdout=pipe, stderr=pipe, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        try:
            first = list(itertools.islice(child.stdout, answers))
            with _still(kafka):
                with suppress(subprocess.TimeoutExpired):
                    child.wait(STILL)
                child.kill()
        finally:
            child.kill()
        # Not `communicate`, which knows nothing of what was read ahead of the first answers.
        lines, complaint = [*first, *child.stdout], child.stderr.read()
    if child.returncode != -signal.SIGKILL or len(first) < answers:
        raise BookError(f"the {how} sender ended after {len(first)} of {answers} answers: {complaint[-SHOWN:]}")
    told = {line.strip() for line in lines if line.endswith("\n")}
    found = {json.loads(record.value or b"{}").get("event_id") for record in reader.read_all(settings)}
    return Killed(frozenset(told), frozenset(told & found))


def log_line(settings: Settings, request_id: str) -> dict[str, Any]:
    """The line that the API server of `pipeline.api` logged for a request; waits until it is written.

    Raises:
        BookError: it is not there after `WRITTEN` seconds.
    """
    log = settings.logs_dir / f"api-{settings.api_port}.log"
    deadline = time.monotonic() + WRITTEN
    while time.monotonic() < deadline:
        for line in log.read_text().splitlines():
            if line.startswith("{") and line.endswith("}") and json.loads(line).get("request_id") == request_id:
                return dict(json.loads(line))
        time.sleep(POLL_INTERVAL)
    raise BookError(f"{log} has no request {request_id!r} after {WRITTEN} s")


def _process(settings: Settings, name: str) -> psutil.Process | None:
    try:
        pid = next((server.pid for server in local.status(settings) if server.name == name), None)
    except QuestlogError:  # no engines on this machine: the servers are elsewhere
        return None
    return psutil.Process(pid) if pid else None

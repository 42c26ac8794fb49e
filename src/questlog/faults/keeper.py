"""Keeps a stream running in a process of its own, as a service manager would: one that ends is started again."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from questlog.errors import FaultError
from questlog.events import CATALOGUE, validation
from questlog.events.wire import encode
from questlog.faults import servers
from questlog.faults.servers import wait_for
from questlog.settings import Settings
from questlog.stream import supervision
from questlog.transport.producer import Publisher

STREAM = (sys.executable, "-m", "questlog", "stream")
TRIGGER = 0.2  # seconds between micro-batches
PAUSE = 1.0  # seconds before a stream that ended is started again
ENDS = 60.0  # seconds for the running batch
STARTS = 120.0  # seconds until there is a Spark, on a busy machine
SAID = 2000  # characters of its last words


class Keeper:
    """One `questlog stream`, kept running between `start` and `stop`.

    `settings.fault_point` is to name a file (``@PATH``): `arm` puts the next point into it. `restarts` counts how often
    the whole command had ended and was started again by this class, not by itself.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._point = Path(settings.fault_point.removeprefix("@"))
        self._log = settings.logs_dir / f"{settings.namespace}-stream.log"
        self._child: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._ends = threading.Event()
        self.restarts = 0

    def start(self) -> None:
        """Start it, and keep it running."""
        self._ends.clear()
        self._child = self._launch()
        self._thread = threading.Thread(target=self._keep)
        self._thread.start()

    def stop(self) -> None:
        """Have it land the running batch, and wait for its end; by force after `ENDS` seconds."""
        self._ends.set()
        if self._child and self._thread:
            self._end(self._child)
            self._thread.join()
            self._child = self._thread = None
        self._point.unlink(missing_ok=True)

    def arm(self, point: str) -> None:
        """Have the stream killed, once, at the next batch that passes this point."""
        part = self._point.with_suffix(".part")
        part.write_text(point)
        part.replace(self._point)

    def is_armed(self) -> bool:
        """Whether the point is still to be passed."""
        return self._point.exists()

    def jvm(self) -> psutil.Process:
        """Spark's JVM, waited for.

        Raises:
            FaultError: there is none within `STARTS` seconds.
        """
        return wait_for(self._jvm, "the stream's JVM", STARTS)

    def driver(self) -> psutil.Process:
        """The Python process that drives Spark, waited for.

        Raises:
            FaultError: there is none within `STARTS` seconds.
        """
        return wait_for(lambda: self.jvm().parent(), "the stream's driver", STARTS)

    def await_standby(self) -> None:
        """Wait until it has one, as a stream has that has run for a while; not longer than `STARTS` seconds."""
        with suppress(FaultError):
            wait_for(lambda: supervision.is_standing_by(self._settings), "a standby of the stream", STARTS)

    def refusal(self, seconds: float, until: Callable[[], bool]) -> str:
        """Start it once, without keeping it running: what it says when it ends by itself, else nothing.

        It is given so many seconds, or less if `until` is true before.
        """
        begun, child = self._log.stat().st_size, self._launch()
        deadline = time.monotonic() + seconds
        while child.poll() is None and time.monotonic() < deadline and not until():
            time.sleep(servers.PAUSE)
        if child.poll() is None:
            self._end(child)
            return ""
        return self._log.read_bytes()[begun:].decode(errors="replace")[-SAID:]

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [*STREAM, "--trigger", str(TRIGGER)]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            return subprocess.Popen(command, env=self._settings.environment(), stdout=log, stderr=log)

    def _keep(self) -> None:
        while self._child:
            self._child.wait()
            if self._ends.wait(PAUSE):
                return
            self.restarts += 1
            self._child = self._launch()
            if self._ends.is_set():  # told to stop in this moment
                self._end(self._child)

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        child.terminate()
        try:
            child.wait(ENDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _jvm(self) -> psutil.Process | None:
        try:
            family = psutil.Process(self._child.pid).children(recursive=True) if self._child else []
            jvms = [member for member in family if member.name() == "java"]
            # The one that started first is the stream's, the other its standby's.
            return min(jvms, key=psutil.Process.create_time, default=None)
        except psutil.NoSuchProcess:
            return None


def stream_once(settings: Settings) -> None:
    """Have a stream of a namespace land one event, and end: from then on there is a checkpoint of its own.

    Raises:
        FaultError: the stream ended in an error.
    """
    event_type, now = CATALOGUE.types[0], datetime.now(UTC)
    publisher = Publisher(settings)
    publisher.publish([encode(validation.parse(event_type, {"event_id": "one"}, {}, now))])
    publisher.close()
    done = subprocess.run(
        [*STREAM, "--available-now"], env=settings.environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise FaultError(f"a stream to take a checkpoint from ended with {done.returncode}: {done.stderr[-SAID:]}")

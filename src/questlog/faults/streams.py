"""The stream of a scene and its standby, kept running by the stack's supervisor, as by `questlog up --streams 2`."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import psutil

from questlog.api.server import free_port
from questlog.errors import FaultError, LakeError
from questlog.events import CATALOGUE, validation
from questlog.events.wire import encode
from questlog.faults.servers import PAUSE, wait_for
from questlog.lake import lease
from questlog.lake.hdfs import Hdfs
from questlog.settings import Settings
from questlog.stack import stream
from questlog.stack.service import Service, tail
from questlog.stack.supervise import Supervisor
from questlog.transport.producer import Publisher

TRIGGER = 0.2  # seconds between micro-batches
STARTS = 120.0  # seconds until there is a Spark, on a busy machine
SAID = 2000  # characters of its last words


class Streams:
    """One `questlog stream`, or two, as services of the stack.

    `settings.fault_point` is to name a file (``@PATH``): `arm` puts the next point into it.

    Args:
        stack: whose supervisor runs them, once `services` are among what it was told to run.
        settings: of their namespace.
        count: 1, or 2 with a standby.
    """

    def __init__(self, stack: Settings, settings: Settings, count: int) -> None:
        self._supervisor, self._settings, self._hdfs = Supervisor(stack), settings, Hdfs(settings)
        self._point = Path(settings.fault_point.removeprefix("@"))
        self.services = [_service(settings, name) for name in stream.NAMES[:count]]

    def start(self) -> None:
        """Have them started, and kept running."""
        for service in self.services:
            self._supervisor.start(service.name)

    def stop(self) -> None:
        """Have the running batch landed, and wait for their end."""
        self._supervisor.stop_together([service.name for service in self.services])
        self._point.unlink(missing_ok=True)

    def arm(self, point: str) -> None:
        """Have the stream killed, once, at the next batch that passes this point."""
        part = self._point.with_suffix(".part")
        part.write_text(point)
        part.replace(self._point)

    def is_armed(self) -> bool:
        """Whether the point is still to be passed."""
        return self._point.exists()

    def driver(self) -> psutil.Process:
        """The Python process that drives Spark and holds the writer lease, waited for.

        Raises:
            FaultError: there is none within `STARTS` seconds.
        """
        return wait_for(self._driver, "a stream that holds the writer lease", STARTS)

    def jvm(self) -> psutil.Process:
        """That driver's JVM, waited for.

        Raises:
            FaultError: there is none within `STARTS` seconds.
        """
        return wait_for(self._jvm, "the stream's JVM", STARTS)

    def await_standby(self) -> None:
        """Wait until one of them waits for the writer lease, warm; not longer than `STARTS` seconds."""
        with suppress(FaultError):
            wait_for(self._has_standby, "a standby of the stream", STARTS)

    def refusal(self, seconds: float, until: Callable[[], bool]) -> str:
        """Start one of them: what it says when it is refused, else nothing.

        It is given so many seconds, or less if `until` is true before; then it is stopped.
        """
        service = self.services[0]
        begun = service.log.stat().st_size
        self._supervisor.start(service.name)
        deadline = time.monotonic() + seconds
        while not (refused := self._is_refused(service)) and time.monotonic() < deadline and not until():
            time.sleep(PAUSE)
        self.stop()
        return service.log.read_bytes()[begun:].decode(errors="replace")[-SAID:] if refused else ""

    def _is_refused(self, service: Service) -> bool:
        program = self._supervisor.program(service.name)
        return program.is_gone and program.exit_status == stream.REFUSED

    def _jvm(self) -> psutil.Process | None:
        children = self.driver().children(recursive=True)
        return next((child for child in children if child.name() == "java"), None)

    def _driver(self) -> psutil.Process | None:
        programs = self._supervisor.programs()
        pids = [programs[service.name].pid for service in self.services]
        with suppress(LakeError, psutil.NoSuchProcess):
            holder = lease.holder(self._settings, self._hdfs)
            return psutil.Process(holder.pid) if holder and holder.pid in pids else None
        return None

    def _has_standby(self) -> bool:
        return any(tail(service.log, 1).startswith(stream.WAITS) for service in self.services)


def _service(settings: Settings, name: str) -> Service:
    own = settings.in_namespace(settings.namespace, spark_ui_port=free_port())
    return stream.service_of(own, f"{name}-{settings.namespace}", TRIGGER)


def stream_once(settings: Settings) -> None:
    """Have a stream of a namespace land one event, and end: from then on there is a checkpoint of its own.

    Raises:
        FaultError: the stream ended in an error.
    """
    event_type, now = CATALOGUE.types[0], datetime.now(UTC)
    publisher = Publisher(settings)
    publisher.publish([encode(validation.parse(event_type, {"event_id": "one"}, {}, now))])
    publisher.close()
    command: Sequence[str] = (sys.executable, "-m", "questlog", "stream", "--available-now")
    done = subprocess.run(command, env=settings.environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise FaultError(f"a stream to take a checkpoint from ended with {done.returncode}: {done.stderr[-SAID:]}")

"""Starts servers side by side: each as soon as it is prepared and those before it are ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from questlog.errors import NotReady
from questlog.stack.progress import FAILED, PREPARING, READY, STARTING, Board
from questlog.stack.service import QUOTED_LINES, Service, died, tail
from questlog.stack.supervise import Supervisor

PAUSE = 0.25  # seconds between two questions


class _Cancelled(Exception):
    """Another server failed, or the user gave up."""


class Startup:
    """One start of several servers."""

    def __init__(self, supervisor: Supervisor, services: Sequence[Service], board: Board) -> None:
        self._supervisor = supervisor
        self._services = services
        self._board = board
        self._ready = {service.name: threading.Event() for service in services}
        self._cancelled = threading.Event()

    def run(self) -> None:
        """Return when every server is ready.

        Raises:
            ServiceDied: one could not be prepared, or its process ended.
            NotReady: one did not answer its question in time.
        """
        with ThreadPoolExecutor(len(self._services)) as pool, self._board.shown():
            jobs = [pool.submit(self._bring_up, service) for service in self._services]
            try:
                done, _ = wait(jobs, return_when=FIRST_EXCEPTION)
            finally:
                self._cancelled.set()  # those that are done do not mind
            for job in done:
                job.result()

    def _bring_up(self, service: Service) -> None:
        try:
            self._board.tell(service.name, PREPARING)
            service.prepare()
            for name in service.after:
                self._await(self._ready[name])
            self._board.tell(service.name, STARTING)
            self._supervisor.start(service.name)
            self._await_ready(service)
        except _Cancelled:
            return
        except Exception:
            self._board.tell(service.name, FAILED)
            raise
        self._ready[service.name].set()
        self._board.tell(service.name, READY)

    def _await(self, event: threading.Event) -> None:
        while not event.wait(PAUSE):
            self._stop_if_cancelled()

    def _await_ready(self, service: Service) -> None:
        deadline = time.monotonic() + service.deadline
        first = None
        while not service.ready():
            program = self._supervisor.program(service.name)
            first = first or program.pid
            if program.is_gone or (first and program.pid != first):
                raise died(service.log, program.reason)
            if time.monotonic() > deadline:
                raise NotReady(_too_late(service))
            self._stop_if_cancelled()
            self._cancelled.wait(PAUSE)

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise _Cancelled


def _too_late(service: Service) -> str:
    return (
        f"{service.name} runs, but did not answer within {service.deadline:.0f} s. "
        f"The end of {service.log}:\n{tail(service.log, QUOTED_LINES)}"
    )

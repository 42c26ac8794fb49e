"""The writer lease: one process at a time may move files into the tables of a namespace, on any machine.

The lease is a folder, ``<staging>/prepared-<epoch>/``, and the file ``_holder.json`` in it. Every batch is renamed *out
of* that folder when it is published, so to have the folder's present name is to have permission:

- *acquire*: rename ``prepared-<n>`` to ``prepared-<n+1>``. A rename is atomic: of two processes that try, one succeeds.
  Then put ``_holder.json`` in it. A folder without that file has a holder that is just starting.
- *renew*: set the time of ``_holder.json``, four times in `Settings.lease_seconds`.
- *take over*: whoever has seen that time unchanged for `Settings.lease_seconds`, by its own clock, acquires.
- *release*: rename ``_holder.json`` to ``_released-<epoch>``; a process that waits acquires at once.

The epoch *fences* a former holder: one that was paused for an hour finds no ``prepared-<n>``, so its renames fail, and
its next renewal tells it that the lease is lost. Clocks of different machines are never compared. While HDFS is away
no process can renew, and none can take over.

Source: the fencing token of Gray and Cheriton, Leases, SOSP 1989, as a number that storage itself checks.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from questlog.errors import LakeError, LeaseHeld, LeaseLost
from questlog.lake import layout
from questlog.lake.hdfs import Gone, Hdfs
from questlog.settings import Settings

HOLDER = "_holder.json"
NOT_YET = 0
"""Stands for the time of the last renewal of a holder that is just starting."""
RENEWALS = 4
"""Renewals in `Settings.lease_seconds`."""
LOOKS = 8
"""Looks of a process that waits, in `Settings.lease_seconds`."""


@dataclass(frozen=True)
class Holder:
    """Who holds the lease: what it does (``stream``, ``replay``, ``compact``), where, and since when (UTC)."""

    what: str
    host: str
    pid: int
    since: str

    def __str__(self) -> str:
        return f"questlog {self.what}, process {self.pid} on {self.host}, since {self.since}"


OnWait = Callable[[str], object]
"""Is called once, with a description of the holder, when the lease is not free."""


class WriterLease:
    """The lease of one namespace, for this process.

    Args:
        settings: which namespace, and how long a lease lasts without renewal.
        hdfs: where it is kept.
        what: what the holder is going to do, for the message that others get.
    """

    def __init__(self, settings: Settings, hdfs: Hdfs, what: str) -> None:
        self._settings, self._hdfs = settings, hdfs
        self._me = Holder(what, socket.gethostname(), os.getpid(), f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
        self._ends, self._lost = threading.Event(), threading.Event()
        self._renewer: threading.Thread | None = None
        self.epoch = 0
        """The epoch of the lease, once it is acquired."""

    @property
    def folder(self) -> str:
        """The folder that only the holder can publish from."""
        return layout.prepared(self._settings, self.epoch)

    def acquire(
        self,
        wait: float | None = None,
        stop: threading.Event | None = None,
        on_wait: OnWait = lambda holder: None,
    ) -> bool:
        """Wait for the lease and take it; False if `stop` was set first.

        Args:
            wait: most seconds to wait; None is for ever.
            stop: ends the wait.
            on_wait: is called once if the lease is held.

        Raises:
            LeaseHeld: another process still holds it after `wait` seconds; says who, and since when.
            LakeError: HDFS refused or is not reachable.
        """
        began, stop = time.monotonic(), stop or threading.Event()
        seen: tuple[str, int] | None = None
        unchanged_since, told = began, False
        while not stop.is_set():
            epoch, renewed = self._look()
            if renewed is None or (
                (str(epoch), renewed) == seen and time.monotonic() - unchanged_since >= self._settings.lease_seconds
            ):
                if self._take(epoch):
                    return True
                continue
            if (str(epoch), renewed) != seen:
                seen, unchanged_since = (str(epoch), renewed), time.monotonic()
            if not told:
                on_wait(self._held_by())
                told = True
            if wait is not None and time.monotonic() - began >= wait:
                raise LeaseHeld(
                    f"the writer lease of namespace {self._settings.namespace} is held by {self._held_by()}. "
                    "Stop it first: a stream that `questlog up` runs by `questlog up --streams 0`, any other by Ctrl-C."
                )
            stop.wait(self._settings.lease_seconds / LOOKS)
        return False

    def release(self) -> None:
        """Give the lease back; a process that waits for it acquires it at once."""
        self._ends.set()
        if self._renewer:
            self._renewer.join()
            if not self._lost.is_set():
                with contextlib.suppress(LakeError):  # it ends all the same, as that of a process that died
                    self._hdfs.rename(f"{self.folder}/{HOLDER}", f"{self.folder}/{_released(self.epoch)}")

    def mark_lost(self) -> None:
        """Note that the folder has another name now."""
        self._lost.set()

    def refuse_if_lost(self) -> None:
        """Make sure that no other process has taken over, as far as the last renewal tells.

        Raises:
            LeaseLost: another one has.
        """
        if self._lost.is_set():
            raise LeaseLost(
                f"another process took the writer lease of namespace {self._settings.namespace}: this one, epoch "
                f"{self.epoch}, did not renew it for {self._settings.lease_seconds:g} s. Nothing it wrote is published."
            )

    def _look(self) -> tuple[int, int | None]:
        """The present epoch, and when its holder renewed the lease; None if it has no holder."""
        if _epoch(self._settings, self._hdfs) is None:
            self._hdfs.make_folder(layout.prepared(self._settings, 0))
        # Asked again: another process may have made the folder, and acquired.
        epoch = _epoch(self._settings, self._hdfs) or 0
        there = {entry.name: entry for entry in self._hdfs.entries(layout.prepared(self._settings, epoch))}
        if not epoch or _released(epoch) in there:
            return epoch, None
        return epoch, there[HOLDER].modified if HOLDER in there else NOT_YET

    def _take(self, epoch: int) -> bool:
        draft = f"{layout.attempts(self._settings)}/{uuid.uuid4().hex}"
        self._hdfs.write(draft, json.dumps(asdict(self._me)).encode())
        try:
            self._hdfs.rename_folder(layout.prepared(self._settings, epoch), layout.prepared(self._settings, epoch + 1))
        except LakeError:
            self._hdfs.delete(draft)
            if (_epoch(self._settings, self._hdfs) or 0) > epoch:  # another process was faster
                return False
            raise
        self.epoch = epoch + 1
        for former in (HOLDER, _released(epoch)):
            self._hdfs.delete(f"{self.folder}/{former}")
        # A rename, as to write a file would create its folder again if another process has taken the lease over.
        self._hdfs.rename(draft, f"{self.folder}/{HOLDER}")
        self._renewer = threading.Thread(target=self._renew, name="questlog-lease", daemon=True)
        self._renewer.start()
        return True

    def _renew(self) -> None:
        while not self._ends.wait(self._settings.lease_seconds / RENEWALS):
            try:
                self._hdfs.touch(f"{self.folder}/{HOLDER}", time.time_ns() // 1_000_000)
            except Gone:
                self._lost.set()
                return
            except LakeError:  # HDFS is away: no other process can take over
                continue

    def _held_by(self) -> str:
        return str(holder(self._settings, self._hdfs) or "a process that is just starting")


def holder(settings: Settings, hdfs: Hdfs) -> Holder | None:
    """The process that holds the writer lease of a namespace; None if no process does, or one is just acquiring it.

    Raises:
        LakeError: HDFS refused or is not reachable.
    """
    folder = layout.prepared(settings, _epoch(settings, hdfs) or 0)
    try:
        return Holder(**json.loads(hdfs.read(f"{folder}/{HOLDER}")))
    except (Gone, ValueError, TypeError):
        return None


def _epoch(settings: Settings, hdfs: Hdfs) -> int | None:
    names = [entry.name for entry in hdfs.entries(settings.staging) if entry.is_folder]
    return max((int(match[1]) for name in names if (match := layout.PREPARED.fullmatch(name))), default=None)


def _released(epoch: int) -> str:
    """The name of the file that says that the holder with this epoch has ended."""
    return f"_released-{epoch:06d}"


@contextmanager
def holding(
    settings: Settings,
    hdfs: Hdfs,
    what: str,
    *,
    wait: float | None = None,
    stop: threading.Event | None = None,
    on_wait: OnWait = lambda holder: None,
) -> Iterator[WriterLease | None]:
    """Hold the lease while the block runs; gives None if `stop` was set before it was free.

    The arguments and what is raised are those of `WriterLease` and of `WriterLease.acquire`.
    """
    lease = WriterLease(settings, hdfs, what)
    try:
        yield lease if lease.acquire(wait, stop, on_wait) else None
    finally:
        lease.release()

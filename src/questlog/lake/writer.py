"""The writer: the only one that moves files into tables and switches partition locations, while it holds the lease.

*Publishing a batch*, from files that are written and final in an attempt's folder. Every step may be repeated:

1. *prepare*: one rename, ``attempts/<attempt>`` to ``prepared-<epoch>/<batch>``. From here on the content is final.
2. *publish*: each file is renamed to ``<partition location>/part-<batch>-<n>.parquet``; new partitions are added.
3. *commit*: the audit file is renamed into table ``batches``.

========================  ======================================  ==============================================
cut after                 what is there                           what recovery does
========================  ======================================  ==============================================
nothing, or before 1      an attempt that no reader looks into    deletes it; the stream writes the batch again
1, or part of 2           some files published, others prepared   publishes the others, goes on
2                         all files; perhaps a partition missing  adds the partitions, commits
3                         an empty folder of the batch            deletes it
========================  ======================================  ==============================================

*Switching partitions* to new versions (compaction, replay), from folders that hold all rows of each partition:

1. *prepare*: one rename, as above, to ``prepared-<epoch>/switch-<version>``.
2. *place*: each folder is renamed to its partition's new version. The metastore still names the old one.
3. *switch*: one call for each table changes the locations of all its partitions.

========================  ======================================  ==============================================
cut after                 what is there                           what recovery does
========================  ======================================  ==============================================
nothing, or before 1      an attempt that no reader looks into    deletes it; readers see the old versions
1, or part of 2           new versions that no reader sees        places the others, switches
2, or one table of 3      the same; both versions hold the rows   switches the tables that are left
========================  ======================================  ==============================================

Recovery runs whenever the lease is acquired, before anything is published, and a writer whose switch failed finishes it
before its next batch: nothing comes into the old version of a partition between a cut and its end. A holder that was
paused right before step 3 repeats a switch that is made already; `Writer.refresh` repairs one that goes back.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from questlog.errors import LakeError
from questlog.lake import layout
from questlog.lake.hdfs import Gone, Hdfs
from questlog.lake.lease import OnWait, WriterLease, holding
from questlog.lake.metastore import Metastore
from questlog.settings import BATCHES_TABLE, EVENTS_TABLE, Settings

LOG = logging.getLogger(__name__)
PATIENCE = 90.0
"""Seconds for which the writer waits for HDFS or the metastore that is away."""
SWITCH = "switch-"

Observer = Callable[[str, int], None]
"""Is called with the name of each point that a batch or a switch passes, and the batch's number."""
Partition = tuple[str, str]
"""A table and the name of one of its partitions."""


class Writer:
    """Publishes and switches, while its lease lasts. Made by `open_writer`.

    Raises:
        LeaseLost: from every method that moves files, once another process has taken over.
        LakeError: from every method, when HDFS or the metastore refuses, or is away for `PATIENCE` seconds.
    """

    def __init__(self, settings: Settings, hdfs: Hdfs, lease: WriterLease, observers: Sequence[Observer] = ()) -> None:
        self.settings, self.hdfs, self.lease = settings, hdfs, lease
        self.between_batches = threading.RLock()
        """Held from a batch's prepare to its commit, and while a switch is made."""
        self._metastore, self._observers = Metastore(settings, PATIENCE), observers
        self.locations: Mapping[Partition, str] = {}
        """The location of every partition. It is never changed, only replaced: threads read it."""
        self._numbers = itertools.count(1)
        self._cut_switch: str | None = None  # the version of a switch that may be prepared, and has not ended

    def notify(self, point: str, batch: int | None = 0) -> None:
        """Tell the observers that a point is passed, by a batch with a number or by a switch."""
        if batch is not None:
            for observer in self._observers:
                observer(point, batch)

    def locations_of(self, table: str) -> dict[str, str]:
        """The locations of a table's partitions."""
        return {partition: folder for (owner, partition), folder in self.locations.items() if owner == table}

    def is_committed(self, batch: str) -> bool:
        """Whether the batch has its audit file."""
        return self.hdfs.exists(self._audit_path(batch))

    def publish(self, attempt: str, batch: str, files: Collection[str], number: int | None = None) -> None:
        """Publish what an attempt has written: steps 1 to 3.

        Args:
            attempt: its folder.
            batch: names the batch in folders and files.
            files: the attempt's files, each as ``<table>/<file>`` or ``events/event_date=<day>/<file>``; the audit
                file is ``batches/<file>``.
            number: of the micro-batch, for the observers; None if it is none: they are not told.
        """
        with self.between_batches:
            if self._cut_switch:
                self._finish_switch(self._cut_switch)
            self._rename(attempt, f"{self.lease.folder}/{batch}", is_folder=True)
            self.notify("prepared", number)
            days = {file.split("/")[1] for file in files if file.startswith(f"{EVENTS_TABLE}/")}
            self._publish(batch, files, days, number)

    def switch(self, attempt: str) -> None:
        """Switch partitions to the folders that an attempt has written.

        Args:
            attempt: its folder, with `layout.rows_folder` for each partition. `between_batches` is held since the
                present versions were last read.
        """
        with self.between_batches:
            version = self._cut_switch = layout.version(self.lease.epoch, next(self._numbers))
            self._rename(attempt, f"{self.lease.folder}/{SWITCH}{version}", is_folder=True)
            self.notify("compact_prepared")
            self._finish_switch(version)

    def recover(self) -> None:
        """Finish what earlier holders of the lease have prepared, and delete what they have not."""
        self.refresh()
        for table in {*layout.TABLES} - {EVENTS_TABLE} - {table for table, _ in self.locations}:
            raise LakeError(f"table {table} is missing in {self.settings.database}: run `questlog catalog`.")
        self._delete_attempts()
        prepared = [folder.rsplit("/", 1)[1] for folder in self.hdfs.folders(self.lease.folder)]
        for name in sorted(prepared, key=lambda name: not name.startswith(SWITCH)):
            if name.startswith(SWITCH):
                self._finish_switch(name.removeprefix(SWITCH))
            else:
                folder = f"{self.lease.folder}/{name}"
                days = {path.rsplit("/", 1)[1] for path in self.hdfs.folders(f"{folder}/{EVENTS_TABLE}")}
                self._publish(name, self.hdfs.files_below(folder), days)

    def refresh(self) -> None:
        """Read all locations from the metastore; one that goes back to an older version is repaired, and logged."""
        with self.between_batches:
            if self._cut_switch:
                self._finish_switch(self._cut_switch)
            found = {
                (table, partition): folder
                for table in layout.TABLES
                for partition, folder in self._metastore.locations(table).items()
            }
            for partition, folder in self.locations.items():
                if layout.version_of(found.get(partition, folder)) < layout.version_of(folder):
                    LOG.warning("%s was switched back to %s by a former writer: repaired", partition, found[partition])
                    self._metastore.switch(partition[0], {partition[1]: folder})
                    found[partition] = folder
            self.locations = found

    def _publish(self, batch: str, files: Collection[str], days: Collection[str], number: int | None = None) -> None:
        """Steps 2 and 3, from wherever they were cut; `days` are the partitions of the batch, also without files."""
        prepared = f"{self.lease.folder}/{batch}"
        audits = [file for file in files if file.startswith(f"{BATCHES_TABLE}/")]
        targets = {file: self._target(batch, file) for file in files if file not in audits}
        new = {
            day: layout.location(self.settings, EVENTS_TABLE, day)
            for day in days
            if (EVENTS_TABLE, day) not in self.locations
        }
        for folder in new.values():
            self.hdfs.make_folder(folder)

        def move(file: str) -> None:
            self._rename(f"{prepared}/{file}", targets[file])
            self.notify("publishing", number)

        self.hdfs.each(move, targets)
        self.notify("published", number)
        self._add(new)
        self.notify("added", number)
        for file in audits:
            self._rename(f"{prepared}/{file}", self._audit_path(batch))
        self.notify("committed", number)
        self.hdfs.delete(prepared)

    def _target(self, batch: str, file: str) -> str:
        """The published path of a prepared file."""
        folder, name = file.rsplit("/", 1)
        table, _, partition = folder.partition("/")
        if table not in layout.TABLES or not name.endswith(".parquet") or (table == EVENTS_TABLE) != bool(partition):
            raise LakeError(f"unexpected file in the staging folder: {file}. Only the writer may write there.")
        if partition:
            layout.partition_day(partition)
        first = layout.location(self.settings, table, partition)
        return f"{self.locations.get((table, partition), first)}/{layout.published_name(batch, name)}"

    def _audit_path(self, batch: str) -> str:
        return f"{self.locations[BATCHES_TABLE, layout.WHOLE]}/{layout.audit_name(batch)}"

    def _add(self, days: Mapping[str, str]) -> None:
        if days:
            self._refuse_if_lost()
            self._metastore.add(EVENTS_TABLE, days)
            self.locations = {**self.locations, **{(EVENTS_TABLE, day): folder for day, folder in days.items()}}

    def _finish_switch(self, version: str) -> None:
        """Steps 2 and 3, from wherever they were cut."""
        self._cut_switch = version
        self._refuse_if_lost()
        prepared = f"{self.lease.folder}/{SWITCH}{version}"
        made = {
            (table, partition): layout.location(self.settings, table, partition, version)
            for table, partition in self._prepared_partitions(prepared)
        }
        for (table, partition), target in made.items():
            self._place(layout.rows_folder(prepared, table, partition), target)
        self.notify("compact_placed")
        for table in layout.TABLES:
            self._switch(table, {partition: to for (owner, partition), to in made.items() if owner == table})
        self.hdfs.delete(prepared)
        self._cut_switch = None

    def _place(self, rows: str, target: str) -> None:
        if self.hdfs.exists(rows):
            self.hdfs.make_folder(target.rsplit("/", 1)[0])
            self._rename(rows, target, is_folder=True)

    def _switch(self, table: str, folders: Mapping[str, str]) -> None:
        if not folders:
            return
        self._refuse_if_lost()
        if new := {partition: to for partition, to in folders.items() if (table, partition) not in self.locations}:
            self._metastore.add(table, new)
        self._metastore.switch(table, folders)
        self.locations = {**self.locations, **{(table, name): folder for name, folder in folders.items()}}
        self.notify("compact_switched")

    def _prepared_partitions(self, prepared: str) -> Iterator[Partition]:
        """The partitions of a prepared switch; a folder stays there for each that is in place already."""
        for folder in self.hdfs.folders(prepared):
            table = folder.rsplit("/", 1)[1]
            partitions = self.hdfs.folders(folder) if table == EVENTS_TABLE else [f"{folder}/{layout.WHOLE}"]
            yield from ((table, partition.rsplit("/", 1)[1]) for partition in partitions)

    def _rename(self, source: str, target: str, *, is_folder: bool = False) -> None:
        """Raises LeaseLost when what is missing is the lease's folder."""
        try:
            (self.hdfs.rename_folder if is_folder else self.hdfs.rename)(source, target)
        except Gone:
            self._refuse_if_lost()
            raise

    def _refuse_if_lost(self) -> None:
        """Raises LeaseLost when the lease's folder has another name: of a process that was paused, renewal is late."""
        if not self.hdfs.exists(self.lease.folder):
            self.lease.mark_lost()
        self.lease.refuse_if_lost()

    def _delete_attempts(self) -> None:
        """Delete what was not prepared, out of the lease's folder: a former holder could delete newer attempts."""
        aside = f"{self.lease.folder}/_attempts"
        self.hdfs.delete(aside)
        with suppress(Gone):  # there are none
            self._rename(layout.attempts(self.settings), aside, is_folder=True)
        self.hdfs.delete(aside)


@contextmanager
def open_writer(
    settings: Settings,
    what: str,
    *,
    wait: float | None = None,
    stop: threading.Event | None = None,
    on_wait: OnWait = lambda holder: None,
    observers: Sequence[Observer] = (),
) -> Iterator[Writer | None]:
    """Hold the writer lease while the block runs; gives None if `stop` was set before it was free.

    Args:
        settings: which namespace.
        what: names the work, for others who want the lease: ``stream``, ``replay``, ``compact``.
        wait: most seconds to wait for the lease; None is for ever.
        stop: ends the wait.
        on_wait: is called once, with the holder, if the lease is not free.
        observers: are called at each point that a batch or a switch passes.

    Raises:
        LeaseHeld: the lease was not free within `wait` seconds.
        LakeError: HDFS or the metastore refused, or is not reachable.
    """
    hdfs = Hdfs(settings, PATIENCE)
    with holding(settings, hdfs, what, wait=wait, stop=stop, on_wait=on_wait) as lease:
        if lease is None:
            yield None
            return
        writer = Writer(settings, hdfs, lease, observers)
        writer.recover()
        yield writer

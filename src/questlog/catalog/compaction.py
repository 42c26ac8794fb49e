"""Compaction: many small files become few, inside the writer, while it lands batches and queries run.

A thread merges the small files of a partition into a new folder, and copies the others beside them. Between two
micro-batches it copies what has arrived since, and switches the partition's location: one call to the metastore, after
which queries see the same rows in fewer files (`questlog.lake.writer`). The old folder stays for
`Settings.compact_grace` seconds, for queries that have listed it already.

========================  ==================================  ====================================================
cut after                 what is there                       what repairs it
========================  ==================================  ====================================================
part of the merge         an attempt no reader looks into     the next holder of the lease deletes it
the attempt is prepared   a complete new version              the next holder of the lease switches to it
the switch                old folders                         a later run deletes them after the grace period
========================  ==================================  ====================================================

The audit file of each stream's newest micro-batch keeps its name, which says that the batch is committed. In the other
tables no file name has a meaning once the file is published.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise

from questlog.errors import LeaseLost, QuestlogError
from questlog.lake import layout, parquet
from questlog.lake.hdfs import Entry, Hdfs
from questlog.lake.writer import Partition, Writer
from questlog.settings import BATCHES_TABLE

LOG = logging.getLogger(__name__)
PARTITIONS_AT_ONCE = 16
"""Partitions of one switch: micro-batches wait for all of them."""

OnProgress = Callable[[int, int], object]


@dataclass(frozen=True)
class Plan:
    """What is to be merged of one partition: groups of files that become one each, and those that stay as they are."""

    table: str
    partition: str
    groups: list[list[Entry]]
    others: list[Entry]

    @property
    def files(self) -> list[Entry]:
        """All files of the partition."""
        return [*self.others, *(file for group in self.groups for file in group)]


@dataclass(frozen=True)
class Compacted:
    """One partition (``""`` of a table that has none): its files and their bytes before and after.

    `bytes_after` is None when nothing was done: it is not known before.
    """

    table: str
    partition: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int | None


def compact(
    writer: Writer,
    *,
    dry_run: bool = False,
    on_progress: OnProgress | None = None,
    ends: threading.Event | None = None,
) -> list[Compacted]:
    """Merge the small files of every partition that has `Settings.compact_files` of them; what was done, in order.

    Args:
        writer: publishes the merged files.
        dry_run: only say what would be merged.
        on_progress: is called with the partitions done and their number.
        ends: once it is set, nothing more is begun.

    Raises:
        LakeError: HDFS or the metastore refused or is not reachable. Nothing is lost, and another run goes on.
    """
    writer.refresh()
    found = writer.hdfs.each(lambda partition: _plan(writer, partition), sorted(writer.locations))
    plans = [plan for plan in found if plan.groups]
    if dry_run:
        return [_compacted(plan, len(plan.groups) + len(plan.others), None) for plan in plans]
    done = list[Compacted]()
    for begin in range(0, len(plans), PARTITIONS_AT_ONCE):
        if ends and ends.is_set():
            break
        done += _merge_and_switch(writer, plans[begin : begin + PARTITIONS_AT_ONCE])
        if on_progress:
            on_progress(len(done), len(plans))
    delete_old_versions(writer)
    return done


@contextmanager
def in_background(writer: Writer) -> Iterator[None]:
    """While the block runs, compact every `Settings.compact_minutes` in a thread; never, if that is 0.

    What goes wrong is logged, and tried again the next time: micro-batches go on. At the end, a switch that has begun
    is finished first.
    """
    ends = threading.Event()
    thread = threading.Thread(target=_compact_until, args=(writer, ends), name="questlog-compaction")
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def delete_old_versions(writer: Writer, now: float | None = None) -> None:
    """Delete the version folders that were replaced more than `Settings.compact_grace` seconds ago.

    A version was replaced after the first file of the next one was written: HDFS keeps that file's time. `now` is in
    seconds since 1970.

    Raises:
        LakeError: HDFS refused or is not reachable.
    """
    before = ((time.time() if now is None else now) - writer.settings.compact_grace) * 1000
    for old in writer.hdfs.each(
        lambda location: _replaced_before(writer, location, before), sorted(writer.locations.values())
    ):
        for folder in old:
            writer.lease.refuse_if_lost()
            writer.hdfs.delete(folder)
            writer.notify("compact_sweeping")


def groups(files: Iterable[Entry], target_bytes: int) -> list[list[Entry]]:
    """Files that become one each: neighbours of together about `target_bytes`.

    Those of half that size and more are left out, and so is one that has no neighbour.
    """
    made: list[list[Entry]] = [[]]
    filled = 0
    for file in files:
        if 2 * file.bytes >= target_bytes:
            continue
        if filled + file.bytes > target_bytes:
            made.append([])
            filled = 0
        made[-1].append(file)
        filled += file.bytes
    return [group for group in made if len(group) > 1]


def mergeable_audits(names: Iterable[str]) -> set[str]:
    """Of the files of table ``batches``, those that may be merged: all but that of each stream's newest batch."""
    names = {*names}
    newest: dict[str, tuple[int, str]] = {}
    for name in names:
        if match := layout.AUDIT_FILE.fullmatch(name):
            newest[match["stream"]] = max(newest.get(match["stream"], (-1, "")), (int(match["batch"]), name))
    return names - {name for _, name in newest.values()}


def _compact_until(writer: Writer, ends: threading.Event) -> None:
    while not ends.wait(writer.settings.compact_minutes * 60 or None):
        try:
            done = compact(writer, ends=ends)
            LOG.info("merged files of %s partitions", len(done))
        except LeaseLost:
            return
        except QuestlogError as error:
            LOG.warning("nothing more is merged before the next time: %s", error)


def _replaced_before(writer: Writer, location: str, before: float) -> list[str]:
    """The older versions of a partition, each of whose next one took its place before a time (ms since 1970)."""
    there = writer.hdfs.entries(location.rsplit("/", 1)[0])
    versions = [entry for entry in there if entry.is_folder and entry.path <= location]
    return [old.path for old, new in pairwise(versions) if _began(writer.hdfs, new) <= before]


def _began(hdfs: Hdfs, version: Entry) -> int:
    """When the first file of a version was written; of one without files, when that came to be."""
    return min((file.modified for file in hdfs.files(version.path)), default=version.modified)


def _plan(writer: Writer, partition: Partition) -> Plan:
    there = writer.hdfs.files(writer.locations[partition])
    names = {file.name for file in there}
    free = mergeable_audits(names) if partition[0] == BATCHES_TABLE else names
    found = groups((file for file in there if file.name in free), writer.settings.compact_megabytes * 1024 * 1024)
    if sum(map(len, found)) < writer.settings.compact_files:
        found = []
    chosen = {file.path for group in found for file in group}
    return Plan(*partition, found, [file for file in there if file.path not in chosen])


def _merge_and_switch(writer: Writer, plans: Sequence[Plan]) -> list[Compacted]:
    attempt = f"{layout.attempts(writer.settings)}/compact-{uuid.uuid4().hex[:12]}"
    for plan in plans:
        _merge(writer.hdfs, plan, attempt)
    writer.notify("compact_merged")
    with writer.between_batches:
        for plan in plans:
            _copy_others(writer, plan, attempt)
        writer.notify("compact_copied")
        after = [writer.hdfs.files(layout.rows_folder(attempt, plan.table, plan.partition)) for plan in plans]
        writer.switch(attempt)
    return [
        _compacted(plan, len(files), sum(file.bytes for file in files))
        for plan, files in zip(plans, after, strict=True)
    ]


def _merge(hdfs: Hdfs, plan: Plan, attempt: str) -> None:
    """Write the merged files of a partition, and copies of the others."""
    folder, unique = layout.rows_folder(attempt, plan.table, plan.partition), uuid.uuid4().hex[:12]
    for number, group in enumerate(plan.groups):
        content = parquet.merge(plan.table, [hdfs.read(file.path) for file in group])
        hdfs.write(f"{folder}/merged-{unique}-{number}.parquet", content)
    for file in plan.others:
        hdfs.write(f"{folder}/{file.name}", hdfs.read(file.path))


def _copy_others(writer: Writer, plan: Plan, attempt: str) -> None:
    """Copy what has arrived in the partition since it was planned."""
    known = {file.name for file in plan.files}
    folder = layout.rows_folder(attempt, plan.table, plan.partition)
    for file in writer.hdfs.files(writer.locations[plan.table, plan.partition]):
        if file.name not in known:
            writer.hdfs.write(f"{folder}/{file.name}", writer.hdfs.read(file.path))


def _compacted(plan: Plan, files_after: int, bytes_after: int | None) -> Compacted:
    before = plan.files
    return Compacted(
        plan.table, plan.partition, len(before), files_after, sum(file.bytes for file in before), bytes_after
    )

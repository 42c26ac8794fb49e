"""Compaction: many small files become few, while the stream writes and queries run, each of which sees the same rows.

A query lists a partition's folder once it has asked the metastore where that is. So merged files are written into a new
folder, and the metastore is told of it in one call for each table; the old folder stays until no query can be at it.

1. *merge*: for some partitions, the small files' rows are written into new files below ``<staging>/merging/<swap>/``,
   larger files and those that landed meanwhile are copied there, and the plan is written beside them
   (`questlog.catalog.swap`).
2. *hold*: the gate is held (`questlog.catalog.gate`): from here on the stream moves no file in.
3. *copy*: whatever has landed since 1 is copied beside the new files, their folders get their places below
   ``<warehouse>/merged/``, and the old ones a mark.
4. *exchange*: the metastore names the new folders, for table ``events``, then for the types' own tables.
5. *open*: the gate is opened, and the stream goes on, in the new folders.
6. *sweep*: folders that were replaced more than `Settings.compact_grace` seconds ago are deleted.

========================  =============================================  ==============================================
cut after                 what is there                                  what repairs it
========================  =============================================  ==============================================
nothing, or part of 1     a folder that no reader looks into             a later sweep deletes it
1                         the same, whole                                the same
2, or part of 3           the gate is held; readers see the old folders  whoever waits at the gate goes on at 3
4, or half of it          ``events`` lies in new folders, a type's own   the same; both folders hold the same rows, and
                          table perhaps in the old                       none is added to either
5, or part of 6           old folders                                    a later sweep deletes them
========================  =============================================  ==============================================

Who waits at the gate is the stream with its next micro-batch, or the next compaction.

The ledger's file of each stream's newest micro-batch keeps its name, which says that the batch is complete
(`questlog.stream.landing`). In the other tables no name has a meaning once a file is there.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from fsspec.implementations.webhdfs import WebHDFS

from questlog.catalog import hdfs, merging, places, swap
from questlog.catalog.files import HIDDEN, THREADS, DataFile, contents, delete, filesystem, generations, inside, moved
from questlog.catalog.gate import Gate
from questlog.catalog.metastore import Metastore
from questlog.catalog.swap import AtPoint, Move
from questlog.errors import CatalogError
from questlog.settings import EVENTS_TABLE, LEDGER_TABLE, Settings

PARTITIONS_AT_ONCE = 16
"""Partitions of one swap: the stream waits for all of them."""
ACCOUNT = re.compile(r"part-(?P<stream>.+)-(?P<batch>\d+)\.parquet")

OnProgress = Callable[[int, int], object]


@dataclass(frozen=True)
class Plan:
    """What is to be merged of one partition: groups of files that become one each, and those that stay as they are."""

    table: str
    partition: str
    place: str
    groups: list[list[DataFile]]
    others: list[DataFile]


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
    settings: Settings,
    *,
    dry_run: bool = False,
    on_progress: OnProgress | None = None,
    ends: threading.Event | None = None,
    at: AtPoint = lambda _: None,
) -> list[Compacted]:
    """Merge the small files of every partition that has `Settings.compact_files` of them; what was done, in order.

    Args:
        settings: where everything is, and how large the files shall be.
        dry_run: only say what would be merged.
        on_progress: is called with the partitions done and their number.
        ends: once it is set, nothing more is begun.
        at: is called at each point at which a test has the process killed.

    Raises:
        CatalogError: when HDFS or the metastore refuses or is not reachable: nothing is lost, and another run goes on.
    """
    files, done = filesystem(settings), list[Compacted]()
    plans = planned(files, settings)
    if dry_run:
        return [_compacted(plan, None) for plan in plans]
    for some in _chunks(plans):
        if ends and ends.is_set():
            return done
        done += _compact(files, settings, some, at)
        if on_progress:
            on_progress(len(done), len(plans))
    sweep(files, settings, at)
    return done


def planned(files: WebHDFS, settings: Settings) -> list[Plan]:
    """What a compaction would do now.

    Raises:
        CatalogError: when HDFS or the metastore is not reachable.
    """
    found = list(_partitions(settings))
    with ThreadPoolExecutor(THREADS) as pool:
        inside = list(pool.map(lambda place: data_files(files, place[2]), found))
    plans = [_plan(settings, *place, files_there) for place, files_there in zip(found, inside, strict=True)]
    return [plan for plan in plans if plan.groups]


def whereabouts(settings: Settings) -> tuple[str, dict[str, str]]:
    """What the stream has to know before it moves a file: the open folder, and where folders lie that were exchanged.

    Waits while the gate is held, and finishes the swap of a holder that does not.

    Raises:
        CatalogError: when HDFS or, to finish a swap, the metastore refuses or is not reachable.
    """
    files = filesystem(settings)
    door = Gate(files, settings).opened(_finisher(files, settings))
    return door.path, moved(files, settings)


def sweep(files: WebHDFS, settings: Settings, at: AtPoint = lambda _: None) -> None:
    """Delete folders that were replaced, and what is left of swaps that were cut, `Settings.compact_grace` seconds ago.

    Raises:
        CatalogError: when HDFS or the metastore refuses or is not reachable.
    """
    Gate(files, settings).opened(_finisher(files, settings))
    before = (time.time() - settings.compact_grace) * 1000
    found, metastore = generations(files, settings), Metastore(settings)
    named = {place for table in places.TABLES for place in metastore.places(table).values()}
    homes = {places.home_of(settings, folder) for folder, holds in found.items() if holds}
    for folder in sorted({*found, *homes} - named):
        if any(mark["modificationTime"] <= before for mark in _marks(files, folder)):
            delete(files, folder)
            at("compact_sweeping")
    held = Gate(files, settings).look().swap
    for left in inside(files, swap.folder(settings)):
        if left["modificationTime"] <= before and left["pathSuffix"] != held:
            delete(files, left["name"])


def settled(names: Iterable[str]) -> set[str]:
    """Of the ledger's files, those that may be merged: all but that of each stream's newest micro-batch."""
    names = {*names}
    newest: dict[str, tuple[int, str]] = {}
    for name in names:
        if match := ACCOUNT.fullmatch(name):
            newest[match["stream"]] = max(newest.get(match["stream"], (-1, "")), (int(match["batch"]), name))
    return names - {name for _, name in newest.values()}


def _compact(files: WebHDFS, settings: Settings, plans: Sequence[Plan], at: AtPoint) -> list[Compacted]:
    """One swap."""
    name = places.new_generation()
    moves = [_merge(files, settings, name, plan) for plan in plans]
    after = [data_files(files, move.made) for move in moves]
    exchanged = exchange(files, settings, name, moves, at)
    return [_compacted(plan, now) for plan, move, now in zip(plans, moves, after, strict=True) if move in exchanged]


def exchange(files: WebHDFS, settings: Settings, name: str, moves: Sequence[Move], at: AtPoint) -> list[Move]:
    """Write the plan of a swap down, do steps 2 to 5, and delete the swap's folder; the moves that are done.

    Raises:
        CatalogError: when HDFS or the metastore refuses: the gate stays held, until somebody has finished the swap.
    """
    swap.write_down(files, settings, name, moves)
    at("compact_merged")
    for move in moves:  # once more: what has landed during the merge would be copied while the stream waits
        swap.copy_others(files, move)
    gate = Gate(files, settings)
    held = gate.hold(name, _finisher(files, settings))
    at("compact_held")
    done = swap.finish(files, settings, moves, at)
    at("compact_swapped")
    gate.open(held)
    at("compact_opened")
    delete(files, swap.folder(settings, name))
    return done


def _finisher(files: WebHDFS, settings: Settings) -> Callable[[str], None]:
    def finish(name: str) -> None:
        swap.finish(files, settings, swap.written_down(files, settings, name))

    return finish


def _partitions(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Table, partition and place of all that is announced; in ``events``, what the type's own table knows too."""
    metastore = Metastore(settings)
    types: dict[str, Mapping[str, str]] = {}
    for table in places.TABLES:
        for partition, place in sorted(metastore.places(table).items()):
            if table == EVENTS_TABLE:
                event_type, day = places.type_partition(partition)
                if event_type not in types:
                    types[event_type] = metastore.places(event_type)
                if day not in types[event_type]:
                    continue
            yield table, partition, place


def _plan(settings: Settings, table: str, partition: str, place: str, there: list[DataFile]) -> Plan:
    names = {file.path.rsplit("/", 1)[1]: file for file in there}
    free = settled(names) if table == LEDGER_TABLE else {*names}
    target = settings.compact_megabytes * 1024 * 1024
    groups = merging.groups((file for name, file in names.items() if name in free), target)
    if sum(map(len, groups)) < settings.compact_files:
        groups = []
    chosen = {file.path for group in groups for file in group}
    return Plan(table, partition, place, groups, [file for file in there if file.path not in chosen])


def _merge(files: WebHDFS, settings: Settings, name: str, plan: Plan) -> Move:
    """Step 1 for one partition."""
    target = places.merged(settings, plan.table, plan.partition, name)
    made = f"{swap.folder(settings, name)}/{plan.table}/{plan.partition}/files".replace("//", "/")
    for number, group in enumerate(plan.groups):
        parts = contents(files, group)
        content = merging.merged(plan.table, parts)
        _refuse_lost_rows(plan, sum(map(merging.rows, parts)), merging.rows(content))
        hdfs.write(files, f"{made}/merged-{name}-{number}.parquet", content)
    merged = tuple(file.path.rsplit("/", 1)[1] for group in plan.groups for file in group)
    move = Move(plan.table, plan.partition, plan.place, made, target, merged)
    swap.copy_others(files, move)
    return move


def _refuse_lost_rows(plan: Plan, before: int, after: int) -> None:
    if before != after:
        raise CatalogError(
            f"{plan.place}: {before} rows became {after} when they were merged, so the old files stay: tell the "
            "maintainers, with the files."
        )


def _compacted(plan: Plan, after: list[DataFile] | None) -> Compacted:
    before = [*plan.others, *(file for group in plan.groups for file in group)]
    files_after = len(plan.groups) + len(plan.others) if after is None else len(after)
    bytes_after = None if after is None else sum(file.bytes for file in after)
    return Compacted(
        plan.table, plan.partition, len(before), files_after, sum(file.bytes for file in before), bytes_after
    )


def data_files(files: WebHDFS, folder: str) -> list[DataFile]:
    """The files that lie directly in a folder, as Presto lists them.

    Raises:
        CatalogError: when HDFS is not reachable.
    """
    entries = inside(files, folder)
    return [
        DataFile(entry["name"], entry["size"]) for entry in entries
        if entry["type"] == "file" and not entry["pathSuffix"].startswith(HIDDEN)
    ]  # fmt: skip


def _marks(files: WebHDFS, folder: str) -> list[dict[str, Any]]:
    return [entry for entry in inside(files, folder) if entry["pathSuffix"] == places.REPLACED]


def _chunks(plans: Sequence[Plan]) -> Iterator[Sequence[Plan]]:
    for begin in range(0, len(plans), PARTITIONS_AT_ONCE):
        yield plans[begin : begin + PARTITIONS_AT_ONCE]

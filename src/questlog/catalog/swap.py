"""Swap: folders of merged files take the place of those that they were made from, while the gate is held.

A swap is a folder, ``<staging>/merging/<swap>/``: the new files, in one folder for each `Move`, and ``swap.json``,
which says what is to be exchanged for what. `finish` does the exchange from wherever it was cut, and may be done by two
at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import groupby

from fsspec.implementations.webhdfs import WebHDFS

from questlog.catalog import hdfs
from questlog.catalog.files import HIDDEN, THREADS, inside, is_replaced, make_folders
from questlog.catalog.metastore import Metastore
from questlog.catalog.places import REPLACED, type_partition
from questlog.settings import EVENTS_TABLE, Settings

PLAN = "swap.json"

AtPoint = Callable[[str], object]
"""Is called at each of the points at which a test has the process killed."""


@dataclass(frozen=True)
class Move:
    """One partition of a table: new files in `made` hold the rows of the files `merged` of `source`.

    What lies in `source` besides is copied, before `made` becomes `target`.
    """

    table: str
    partition: str
    source: str
    made: str
    target: str
    merged: tuple[str, ...]


def folder(settings: Settings, swap: str = "") -> str:
    """The folder of a swap, or that of all."""
    return f"{settings.staging}/merging/{swap}".rstrip("/")


def write_down(files: WebHDFS, settings: Settings, swap: str, moves: Iterable[Move]) -> None:
    """Write down what the swap is to do, before the gate is held.

    Raises:
        CatalogError: when HDFS refuses.
    """
    plan = json.dumps([asdict(move) for move in moves]).encode()
    hdfs.write(files, f"{folder(settings, swap)}/{PLAN}", plan)


def written_down(files: WebHDFS, settings: Settings, swap: str) -> list[Move]:
    """What the swap is to do; nothing, when its folder is gone.

    Raises:
        CatalogError: when HDFS is not reachable.
    """
    if not inside(files, folder(settings, swap)):
        return []
    moves = json.loads(hdfs.read(files, f"{folder(settings, swap)}/{PLAN}"))
    return [Move(**{**move, "merged": tuple(move["merged"])}) for move in moves]


def finish(files: WebHDFS, settings: Settings, moves: Iterable[Move], at: AtPoint = lambda _: None) -> list[Move]:
    """Exchange folders, from wherever it was cut; those moves that are done now. The gate has to be held.

    A partition that has been given another place since the swap was planned stays as it is.

    Raises:
        CatalogError: when HDFS or the metastore refuses or is not reachable.
    """
    metastore, done = Metastore(settings), list[Move]()
    for table, of_table in groupby(moves, key=lambda move: move.table):
        with ThreadPoolExecutor(THREADS) as pool:
            filled = pool.map(lambda move: (move, _fill(files, move)), of_table)
            ready = [move for move, is_due in filled if is_due]
        at("compact_copied")
        _exchange(metastore, table, ready, at)
        done += ready
    return done


def copy_others(files: WebHDFS, move: Move) -> None:
    """Copy beside the new files what lies beside those that were merged.

    Raises:
        CatalogError: when HDFS refuses.
    """
    there = {entry["pathSuffix"] for entry in inside(files, move.made)} | {*move.merged}
    for entry in inside(files, move.source):
        if entry["pathSuffix"] not in there and not entry["pathSuffix"].startswith(HIDDEN):
            hdfs.copy(files, entry["name"], f"{move.made}/{entry['pathSuffix']}")


def _fill(files: WebHDFS, move: Move) -> bool:
    """The target holds all rows of the source, and the source is marked; false when another has replaced the source."""
    if not inside(files, move.target):
        if is_replaced(files, move.source):
            return False
        copy_others(files, move)
        make_folders(files, [move.target.rsplit("/", 1)[0]])
        hdfs.rename(files, move.made, move.target)
    elif is_replaced(files, move.target):
        return False
    hdfs.write(files, f"{move.source}/{REPLACED}", b"")
    return True


def _exchange(metastore: Metastore, table: str, moves: list[Move], at: AtPoint) -> None:
    """Have the metastore name the targets: of each table all in one step, ``events`` before the types' own."""
    if not moves:
        return
    metastore.move(table, {move.partition: move.target for move in moves})
    at("compact_half")
    if table != EVENTS_TABLE:
        return
    by_type: dict[str, dict[str, str]] = {}
    for move in moves:
        event_type, day = type_partition(move.partition)
        by_type.setdefault(event_type, {})[day] = move.target
    for event_type, targets in by_type.items():
        metastore.move(event_type, targets)

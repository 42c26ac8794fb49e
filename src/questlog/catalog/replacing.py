"""Replacing: what a replay has written takes the place of the tables' files, in one exchange of folders.

The new files become a swap like that of a compaction (`questlog.catalog.swap`): queries see the old rows of a table or
its new ones, a crash leaves a swap that whoever comes next finishes, and the old folders stay until a later sweep.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from fsspec.implementations.webhdfs import WebHDFS

from questlog.catalog import compaction, hdfs, partitions, places, swap
from questlog.catalog.files import filesystem, folders, inside, make_folders
from questlog.catalog.metastore import Metastore
from questlog.catalog.swap import AtPoint, Move
from questlog.errors import CatalogError
from questlog.events import CATALOGUE, Catalogue
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, LEDGER_TABLE, Settings


def swap_in(
    settings: Settings,
    folder: str,
    replaces: Collection[str],
    catalogue: Catalogue = CATALOGUE,
    at: AtPoint = lambda _: None,
) -> None:
    """Have the tables hold what a replay wrote. No stream may run; queries may.

    Args:
        settings: where everything is.
        folder: holds ``events/event_type=X/event_date=D/``, ``dead_letters/`` and ``ledger/``.
        replaces: event types whose partitions there hold all their rows; rows of other types are added to theirs. The
            dead letters are replaced, the ledger's file is added.
        catalogue: the event types.
        at: is called at each point at which a test has the process killed.

    Raises:
        CatalogError: HDFS or the metastore refused, or somebody else has merged files meanwhile.
    """
    files, name = filesystem(settings), places.new_generation()
    written = _partitions(files, folder)
    _announce_new(files, settings, written, catalogue)
    make_folders(files, [swap.folder(settings)])
    if not hdfs.rename(files, folder, swap.folder(settings, name)):
        raise CatalogError(f"{folder}, which the replay wrote, is gone: replay once more. Nothing has changed.")
    moves = list(_moves(files, settings, name, written, replaces))
    done = compaction.exchange(files, settings, name, moves, at)
    if len(done) < len(moves):
        left = next(move for move in moves if move not in done)
        raise CatalogError(
            f"{len(moves) - len(done)} of {len(moves)} folders stay as they were, the first {left.source}: somebody "
            "merged files of theirs meanwhile. Replay once more."
        )


def _announce_new(files: WebHDFS, settings: Settings, written: Iterable[str], catalogue: Catalogue) -> None:
    """A partition has to be known, and its folder there, before it can be exchanged."""
    known = Metastore(settings).places(EVENTS_TABLE)
    new = [partition for partition in written if partition not in known]
    make_folders(files, [places.home(settings, EVENTS_TABLE, partition) for partition in new])
    partitions.announce(settings, [_typed(partition) for partition in new], catalogue)


def _partitions(files: WebHDFS, folder: str) -> list[str]:
    """The partitions of table ``events`` that a replay wrote, each as its path below the table."""
    root = f"{folder}/{EVENTS_TABLE}"
    found = folders(files, root, depth=places.DEPTH[EVENTS_TABLE]) if inside(files, root) else []
    return [path.removeprefix(f"{root}/") for path in found]


def _typed(partition: str) -> partitions.Partition:
    event_type, day = places.type_partition(partition)
    return event_type, date.fromisoformat(day.rsplit("=", 1)[1])


def _moves(
    files: WebHDFS, settings: Settings, name: str, written: Iterable[str], replaces: Collection[str]
) -> Iterator[Move]:
    """What is to be exchanged: ``events``, then the dead letters, then the ledger."""
    made = swap.folder(settings, name)
    for table, partition, source in _sources(settings, written):
        is_whole = table == DEAD_LETTERS_TABLE or (partition and places.type_partition(partition)[0] in replaces)
        merged = [file.path.rsplit("/", 1)[1] for file in compaction.data_files(files, source)] if is_whole else []
        target = places.merged(settings, table, partition, name)
        yield Move(table, partition, source, f"{made}/{table}/{partition}".rstrip("/"), target, tuple(merged))


def _sources(settings: Settings, written: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Table, partition and present place of all that gets new files."""
    metastore = Metastore(settings)
    lie = metastore.places(EVENTS_TABLE)
    yield from ((EVENTS_TABLE, partition, lie[partition]) for partition in written)
    for table in (DEAD_LETTERS_TABLE, LEDGER_TABLE):
        yield table, "", metastore.places(table)[""]

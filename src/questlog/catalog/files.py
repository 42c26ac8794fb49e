"""HDFS from Python, by WebHDFS: folders, listings, and rows counted from the parquet files' footers.

Counting does not need Presto, so the counts are a witness of their own. A file is read with two
requests: the NameNode redirects to a DataNode, which sends the last bytes.
Source: https://hadoop.apache.org/docs/r3.4.2/hadoop-project-dist/hadoop-hdfs/WebHDFS.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import requests
import urllib3
from fsspec.implementations.webhdfs import WebHDFS

from questlog.catalog import places
from questlog.catalog.session import CONNECT_SECONDS, READ_SECONDS, Session
from questlog.errors import CatalogError
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.schema import PARTITION_TYPE
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, Settings

THREADS = 8
READERS = 2
"""Files that are read whole at once: more would take the interpreter from a stream that runs beside, for longer."""
TAIL_BYTES = 16 * 1024
FOOTER_TRAILER_BYTES = 8  # the footer's length and the magic bytes
MAGIC = b"PAR1"
HIDDEN = ("_", ".")

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class DataFile:
    """One file of a table.

    `path` is its path in HDFS, `bytes` its length, `partition` the values that its folders name (``event_type=x``).
    """

    path: str
    bytes: int
    partition: dict[str, str] = field(default_factory=dict)


def filesystem(settings: Settings) -> WebHDFS:
    """HDFS as `fsspec` presents it; no request is made before its first use."""
    url = urlsplit(settings.webhdfs_url)
    files = WebHDFS(
        host=url.hostname,
        port=url.port,
        user=settings.hdfs_user,
        use_https=url.scheme == "https",
        skip_instance_cache=True,
    )
    files.session = Session(THREADS)
    return files


def make_folders(files: WebHDFS, paths: Iterable[str]) -> None:
    """Create folders with all their parents; those that exist stay as they are.

    Raises:
        CatalogError: when HDFS refuses or is not reachable.
    """
    with translated(files):
        _each(files.mkdir, paths)


def delete(files: WebHDFS, path: str) -> None:
    """Delete a file or a folder with all that it holds; nothing happens if there is none.

    Raises:
        CatalogError: when HDFS refuses or is not reachable.
    """
    with translated(files):
        files.rm(path, recursive=True)


def folders(files: WebHDFS, path: str, depth: int) -> list[str]:
    """Paths of the folders `depth` levels below `path`, in order; without hidden ones, as Presto lists them.

    Raises:
        CatalogError: when there is no such path, or HDFS is not reachable.
    """
    level = [path]
    for _ in range(depth):
        level = [entry["name"] for entry in _entries(files, level) if entry["type"] == "directory"]
    return sorted(level)


def inside(files: WebHDFS, path: str) -> list[dict[str, Any]]:
    """What lies directly in a folder, hidden or not, by name; nothing when there is no such folder.

    Dictionaries with ``name`` (the path), ``pathSuffix`` (the name), ``type`` (``file`` or ``directory``), ``size``
    (bytes) and ``modificationTime`` (milliseconds since 1970).

    Raises:
        CatalogError: when HDFS is not reachable.
    """
    with translated(files):
        try:
            found: list[dict[str, Any]] = files.ls(path, detail=True)
        except FileNotFoundError:
            return []
    return found


def generations(files: WebHDFS, settings: Settings) -> dict[str, bool]:
    """The folders that merged files were given, in order, and whether each holds: it has not been replaced.

    Raises:
        CatalogError: when HDFS is not reachable.
    """
    there = _each(lambda partition: folders(files, partition, depth=1), _merged(files, settings))
    found = [folder for of_partition in there for folder in of_partition]
    return dict(zip(found, _each(lambda folder: not is_replaced(files, folder), found), strict=True))


def moved(files: WebHDFS, settings: Settings, *tables: str) -> dict[str, str]:
    """Where folders lie that lie elsewhere now, by the folder in which they began; of all tables unless given.

    Raises:
        CatalogError: when HDFS is not reachable.
    """
    holding = _each(lambda partition: _holding(files, partition), _merged(files, settings, *tables))
    return {places.home_of(settings, folder): folder for folder in holding if folder}


def _merged(files: WebHDFS, settings: Settings, *tables: str) -> list[str]:
    """Of these tables, or of all, the partitions that have generations: the folders that these lie in."""
    roots = {entry["name"] for entry in inside(files, settings.table_path(places.MERGED))}
    found: list[str] = []
    for table in tables or places.TABLES:
        if (root := places.merged(settings, table)) in roots:
            found += folders(files, root, depth=places.DEPTH[table])
    return found


def _holding(files: WebHDFS, partition: str) -> str | None:
    """The generation of a partition that holds; looked for from the newest, because many may wait to be deleted."""
    found = folders(files, partition, depth=1)
    return next((folder for folder in reversed(found) if not is_replaced(files, folder)), None)


def is_replaced(files: WebHDFS, folder: str) -> bool:
    """Whether a folder's rows are elsewhere now.

    Raises:
        CatalogError: when HDFS is not reachable.
    """
    return any(entry["pathSuffix"] == places.REPLACED for entry in inside(files, folder))


def listing(settings: Settings, table: str, files: WebHDFS | None = None) -> list[DataFile]:
    """The files of a table, by path; without hidden ones and folders, as Presto lists them.

    Raises:
        CatalogError: when the table has no folder, or HDFS is not reachable.
    """
    files = files or filesystem(settings)
    elsewhere = moved(files, settings, table)
    root, level = settings.table_path(table), [*elsewhere.values()]
    found, level = [], level if root in elsewhere else [root, *level]
    while level:
        there = _entries(files, level)
        found += [entry for entry in there if entry["type"] == "file"]
        level = [entry["name"] for entry in there if entry["type"] == "directory" and entry["name"] not in elsewhere]
    return sorted((_data_file(settings.warehouse, entry) for entry in found), key=lambda file: file.path)


def landed_rows(settings: Settings) -> dict[str, int]:
    """Rows of table ``events`` by event type, as the parquet footers tell; a type without files is left out.

    Raises:
        CatalogError: when the table has no folder, a file is no parquet file, or HDFS is not reachable.
    """
    files = filesystem(settings)
    found = listing(settings, EVENTS_TABLE, files)
    rows: Counter[str] = Counter()
    with _pool() as pool:
        counts = _each(lambda file: _rows(pool, files, file), found)
    for file, count in zip(found, counts, strict=True):
        rows[file.partition.get(PARTITION_TYPE, UNKNOWN_TYPE)] += count
    return dict(rows)


def dead_letter_rows(settings: Settings) -> dict[str, int]:
    """Rows of table ``dead_letters`` by event type, from the files' column ``event_type`` alone.

    Raises:
        CatalogError: when the table has no folder, a file is no parquet file, or HDFS is not reachable.
    """
    files = filesystem(settings)
    found = listing(settings, DEAD_LETTERS_TABLE, files)
    return dict(sum(_each(lambda file: _count_by_type(files, file), found), Counter[str]()))


def contents(files: WebHDFS, found: Iterable[DataFile]) -> list[bytes]:
    """The content of each of these files.

    Raises:
        CatalogError: when one is not there, or HDFS is not reachable.
    """
    with _pool() as pool:
        return _each(lambda file: _tail(pool, files, file, file.bytes), found, threads=READERS)


def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(maxsize=THREADS, timeout=urllib3.Timeout(CONNECT_SECONDS, READ_SECONDS))


def _each(work: Callable[[In], Out], items: Iterable[In], threads: int = THREADS) -> list[Out]:
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def _entries(files: WebHDFS, paths: Iterable[str]) -> list[dict[str, Any]]:
    """What lies directly in these folders; fsspec's dictionaries with ``name``, ``type`` and ``size``."""
    with translated(files):
        entries = [entry for listed in _each(lambda path: files.ls(path, detail=True), paths) for entry in listed]
    return [entry for entry in entries if not entry["pathSuffix"].startswith(HIDDEN)]


def _data_file(root: str, entry: dict[str, Any]) -> DataFile:
    parts = entry["name"].removeprefix(f"{root}/").split("/")[:-1]
    return DataFile(entry["name"], entry["size"], dict(part.split("=", 1) for part in parts if "=" in part))


def _rows(pool: urllib3.PoolManager, files: WebHDFS, file: DataFile) -> int:
    """The rows of one file, from its last bytes; a longer footer is asked for a second time, whole."""
    tail = _tail(pool, files, file, TAIL_BYTES)
    footer = int.from_bytes(tail[-FOOTER_TRAILER_BYTES : -len(MAGIC)], "little") + FOOTER_TRAILER_BYTES
    if tail.endswith(MAGIC) and len(tail) < footer <= file.bytes:
        tail = _tail(pool, files, file, footer)
    with _readable(file):
        return int(pq.read_metadata(pa.BufferReader(tail)).num_rows)


def _tail(pool: urllib3.PoolManager, files: WebHDFS, file: DataFile, length: int) -> bytes:
    """The last bytes of a file; by urllib3, which takes half the processor time of `requests` for this."""
    length = min(length, file.bytes)
    asked = {**files.pars, "op": "OPEN", "offset": str(file.bytes - length), "length": str(length)}
    with translated(files):
        answer = pool.request("GET", f"{files.url}{quote(file.path, safe='/=')}?{urlencode(asked)}")
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"{file.path}: {answer.status} {answer.data[:200]!r}")
    return answer.data


def _count_by_type(files: WebHDFS, file: DataFile) -> Counter[str]:
    with translated(files):
        content = files.cat_file(file.path)
    with _readable(file):
        column = pq.read_table(pa.BufferReader(content), columns=[PARTITION_TYPE])[PARTITION_TYPE]
    return Counter({count["values"] or UNKNOWN_TYPE: count["counts"] for count in column.value_counts().to_pylist()})


@contextmanager
def _readable(file: DataFile) -> Iterator[None]:
    try:
        yield
    except pa.ArrowException as error:
        why = str(error).rstrip(".")
        raise CatalogError(
            f"{file.path} ({file.bytes} bytes) is not a parquet file: {why}. "
            "Only the stream writes below a table: find out who put it there, and move it away."
        ) from error


@contextmanager
def translated(files: WebHDFS) -> Iterator[None]:
    """Errors of `requests` and `fsspec` become a `CatalogError` that says what to do."""
    try:
        yield
    except FileNotFoundError as error:
        raise CatalogError(f"HDFS has no such path: {error}. Create the tables with `questlog catalog`.") from error
    except PermissionError as error:
        raise CatalogError(f"HDFS refuses user {files.user!r}: {error} Set QUESTLOG_HDFS_USER to the owner.") from error
    except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
        raise CatalogError(
            f"WebHDFS does not answer at {files.url}: {type(error).__name__}. Start it with `questlog up`."
        ) from error
    except (requests.RequestException, RuntimeError, ValueError) as error:
        raise CatalogError(f"HDFS refused the request to {files.url}: {error}") from error

"""The Presto client: runs one statement to its end. The only place that imports PyHive.

Every session's time zone is UTC. Times without a zone are UTC, in parameters and in answers.
Source: https://prestodb.io/docs/0.287/develop/client-protocol.html
"""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import requests
from pyhive import exc
from pyhive import presto as pyhive
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from questlog.errors import QueryError
from questlog.lake import values
from questlog.lake.retry import retried
from questlog.lake.values import Column
from questlog.settings import Settings

POLL_SECONDS = 0.02
CONNECT_SECONDS, READ_SECONDS = 5, 60
LONGEST_SECONDS = 600
SETTLES_SECONDS = 30.0
"""How long a Presto that has just started may know of no worker that reads the tables."""
COUNTED_SECONDS, COUNTED_PAUSE = 10.0, 0.05
"""How long Presto may take to sum up what a query read, once it has ended, and between two questions."""
SOURCE = "questlog"
BYTES_IN = {"B": 1, "kB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40, "PB": 1 << 50}
DATA_SIZE = re.compile(r"(?P<number>[\d.]+)(?P<unit>[kMGTP]?B)")
LINE_AND_COLUMN = re.compile(r"^line (\d+):(\d+): ")

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Result:
    """An answer: `columns` with their types, `rows` as tuples of Python values (see `values`); iterating gives rows."""

    columns: tuple[Column, ...] = ()
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Statistics:
    """What Presto read from files to answer a statement, by its own count: row groups that it skipped are not in it.

    Args:
        rows: in the row groups that were read.
        bytes: compressed. Of columns that lie near each other Presto reads also what is between them. It tells three
            digits or more: ``12.73kB``.
    """

    rows: int
    bytes: int


def execute(settings: Settings, sql: str, parameters: Parameters | None = None) -> Result:
    """Run a statement and wait for its end.

    `parameters` fill ``%(name)s`` as literals; a percent sign is then written ``%%``. Values may be None, bool, int,
    finite float, str, date, datetime, or a list of them.

    Raises:
        QueryError: Presto refused the statement, is not reachable, or took longer than `LONGEST_SECONDS`.
    """
    answer = _run(settings, sql, parameters)
    return Result(answer.columns, values.rows(answer.columns, answer.rows))


def frame(settings: Settings, sql: str, parameters: Parameters | None = None) -> pd.DataFrame:
    """As `execute`, as a frame whose columns have the types that `values` lists.

    Raises:
        QueryError: as `execute`.
    """
    answer = _run(settings, sql, parameters)
    return values.frame(answer.columns, answer.rows)


def statement(settings: Settings, sql: str) -> None:
    """Run a statement that has no answer to look at.

    Raises:
        QueryError: as `execute`.
    """
    _run(settings, sql, None)


def statistics(settings: Settings, sql: str, parameters: Parameters | None = None) -> Statistics:
    """Run a statement, and tell what Presto read for it.

    Raises:
        QueryError: as `execute`.
    """
    query, ends = _run(settings, sql, parameters).query, time.monotonic() + COUNTED_SECONDS
    with _session() as session, _translated(settings, None):
        while not (told := _told(settings, session, query))["finalQueryInfo"] and time.monotonic() < ends:
            time.sleep(COUNTED_PAUSE)
    counted = told["queryStats"]
    return Statistics(int(counted["rawInputPositions"]), _bytes(counted["rawInputDataSize"]))


class AlreadyExists(QueryError):
    """What the statement was to create exists. With IF NOT EXISTS: another process created it at the same time."""


class _NoNodes(QueryError):
    """Presto runs, but nothing of the statement did: it counts no worker yet."""


ERRORS = {"NO_NODES_AVAILABLE": _NoNodes, "ALREADY_EXISTS": AlreadyExists}
"""Presto's error names for which a `QueryError` of its own is raised."""


@dataclass(frozen=True)
class _Answer:
    """What PyHive gives, and what Presto calls the query."""

    query: str
    columns: tuple[Column, ...]
    rows: list[tuple[Any, ...]]


def _run(settings: Settings, sql: str, parameters: Parameters | None) -> _Answer:
    """The answer; a Presto that only starts is asked again until it has a worker."""
    bound = None if parameters is None else {name: _bindable(name, value) for name, value in parameters.items()}
    return retried(lambda: _ask(settings, sql, bound), lambda error: isinstance(error, _NoNodes), SETTLES_SECONDS)


def _ask(settings: Settings, sql: str, bound: Parameters | None) -> _Answer:
    with _session() as session, _translated(settings, bound):
        cursor = _cursor(settings, session)
        with _cancelled_on_leaving(cursor):
            cursor.execute(sql, bound)
            columns = tuple(Column(name, kind) for name, kind, *_ in cursor.description or ())
            return _Answer(cursor.last_query_id, columns, cursor.fetchall())


def _told(settings: Settings, session: requests.Session, query: str) -> dict[str, Any]:
    """What Presto tells of a query."""
    response = session.get(f"{settings.presto_url}/v1/query/{query}", timeout=(CONNECT_SECONDS, READ_SECONDS))
    response.raise_for_status()
    told: dict[str, Any] = response.json()
    return told


def _bytes(size: str) -> int:
    match = DATA_SIZE.fullmatch(size)
    if match is None:
        raise QueryError(f"Presto tells {size!r} as a size: a number with one of {', '.join(BYTES_IN)} is known")
    return round(float(match["number"]) * BYTES_IN[match["unit"]])


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers["X-Presto-Time-Zone"] = "UTC"
    # The protocol: 503 means that the server is busy and has not taken the request.
    busy = Retry(status=5, connect=0, read=0, status_forcelist=[503], allowed_methods=None, backoff_factor=0.1)
    busy.raise_on_status = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=busy))
    return session


def _cursor(settings: Settings, session: requests.Session) -> pyhive.Cursor:
    url = urlsplit(settings.presto_url)
    return pyhive.Cursor(
        host=url.hostname,
        port=url.port,
        protocol=url.scheme,
        username=settings.hdfs_user,
        catalog=settings.presto_catalog,
        schema=settings.database,
        source=SOURCE,
        poll_interval=POLL_SECONDS,
        session_props={"query_max_run_time": f"{LONGEST_SECONDS}s"},
        requests_session=session,
        requests_kwargs={"timeout": (CONNECT_SECONDS, READ_SECONDS)},
    )


@contextlib.contextmanager
def _cancelled_on_leaving(cursor: pyhive.Cursor) -> Iterator[None]:
    """A query that nobody waits for any more, after Ctrl-C or a timeout, does not go on in Presto."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(exc.Error, requests.RequestException, AssertionError):
            cursor.cancel()
        raise


def _bindable(name: str, value: Any) -> Any:
    """The value, if PyHive's escaper writes it as a sound literal; times with a zone become UTC."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, float) and not math.isfinite(value):
        raise QueryError(f"parameter {name} is {value!r}: a number has to be finite")
    if value is None or isinstance(value, bool | int | float | str | date):
        return value
    if isinstance(value, list | tuple):
        return [_bindable(name, item) for item in value]
    raise QueryError(f"parameter {name} is a {type(value).__name__}: give text, numbers, dates, or a list of them")


@contextlib.contextmanager
def _translated(settings: Settings, bound: Parameters | None) -> Iterator[None]:
    """Errors of PyHive and `requests` become a `QueryError` that says what to do."""
    try:
        yield
    except exc.DatabaseError as error:
        said = error.args[0]
        kind = ERRORS.get(said.get("errorName", ""), QueryError) if isinstance(said, Mapping) else QueryError
        raise kind(_explain(settings, said)) from error
    except exc.Error as error:
        raise QueryError(f"Presto at {settings.presto_url}: {error}") from error
    except KeyError as error:
        raise QueryError(f"the statement asks for parameter {error}; given are {sorted(bound or {})}") from error
    except (requests.ConnectionError, requests.Timeout) as error:
        raise QueryError(
            f"Presto does not answer at {settings.presto_url}: {type(error).__name__}. Start it with `questlog up`, "
            "or set QUESTLOG_PRESTO_URL."
        ) from error
    except requests.RequestException as error:
        raise QueryError(f"Presto at {settings.presto_url}: {error}") from error


def _explain(settings: Settings, error: Any) -> str:
    """What Presto says, where in the statement, and what to do."""
    if not isinstance(error, Mapping):
        return f"Presto at {settings.presto_url}: {error}"
    place = error.get("errorLocation")
    where = f" at line {place['lineNumber']}, column {place['columnNumber']}" if place else ""
    said = LINE_AND_COLUMN.sub("", error.get("message", "it gives no reason"))
    return f"Presto refused the statement{where}: {said} ({error.get('errorName')}). {_advice(settings, error)}"


def _advice(settings: Settings, error: Mapping[str, Any]) -> str:
    if error.get("errorName") == "EXCEEDED_TIME_LIMIT":
        return f"A statement may run {LONGEST_SECONDS} s: ask for fewer days or event types."
    if error.get("errorName") == "SYNTAX_ERROR":
        names = f"{settings.presto_catalog}.{settings.database}"
        return (
            f"Correct it: SHOW TABLES FROM {names} lists the tables, which `questlog catalog` creates; "
            "DESCRIBE <table> lists a table's columns."
        )
    if error.get("errorType") == "USER_ERROR":
        return "Correct the statement, or what it is given."
    if error.get("errorType") == "INSUFFICIENT_RESOURCES":
        return "Ask for fewer days or event types."
    return f"Is everything up? `questlog up` starts what is missing; logs are in {settings.logs_dir}."

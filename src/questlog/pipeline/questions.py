"""What a namespace holds: the ledger of all witnesses, and answers of Presto."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pandas as pd

from questlog.api import counters
from questlog.catalog import counts
from questlog.events import CATALOGUE, Catalogue
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.lake import presto
from questlog.ledger import Ledger, balance
from questlog.query import library
from questlog.settings import Settings
from questlog.transport import reader


def ledger(
    settings: Settings,
    catalogue: Catalogue = CATALOGUE,
    on_progress: Callable[[int, int], None] | None = None,
) -> Ledger:
    """Ask every witness and lay the counts side by side."""
    topic = reader.count_by_type(settings, catalogue, on_progress=on_progress)
    found: dict[str, Mapping[str, int]] = {
        "accepted": counters.accepted(settings),
        "in_kafka": {name: count.in_kafka for name, count in topic.items()},
        "from_api": {name: count.from_api for name, count in topic.items()},
        "landed": counts.landed_rows(settings),
        "rejected": counts.dead_letter_rows(settings),
        **_seen_by_presto(settings),
    }
    return balance((*catalogue.names, UNKNOWN_TYPE), found)


def query(settings: Settings, name: str, **parameters: object) -> pd.DataFrame:
    """Presto's answer to a named query of `questlog.query.library`."""
    return library.run(settings, name, **parameters)


def sql(settings: Settings, statement: str) -> pd.DataFrame:
    """Presto's answer to a statement."""
    return presto.frame(settings, statement)


def _seen_by_presto(settings: Settings) -> dict[str, dict[str, int]]:
    seen = library.run(settings, "ledger_events")
    account = library.run(settings, "batch_audit")
    return {
        "in_presto": _counts(seen, "rows"),
        "distinct": _counts(seen, "distinct_events"),
        "filtered": _counts(account, "filtered"),
        "duplicates": _counts(account, "duplicates"),
    }


def _counts(frame: pd.DataFrame, column: str) -> dict[str, int]:
    return dict(zip(frame["event_type"], (int(count) for count in frame[column]), strict=True))

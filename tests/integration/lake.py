"""The tables of one namespace, without a stream; of few event types, which are sooner made."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import landed

from questlog.catalog import partitions, tables
from questlog.events import CATALOGUE, Catalogue
from questlog.lake import layout, presto
from questlog.lake.hdfs import Hdfs
from questlog.settings import Settings

FEW = Catalogue(tuple(CATALOGUE[name] for name in ("page_view", "join_guild", "purchase_potion")))


class Lake:
    """Files of the tables, and what Presto sees of them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.hdfs = Hdfs(settings)

    def execute(self, sql: str) -> presto.Result:
        return presto.execute(self.settings, sql)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.execute(sql).rows

    def create(self, catalogue: Catalogue = FEW) -> list[str]:
        return tables.create(self.settings, catalogue)

    def drop(self) -> None:
        tables.drop(self.settings)

    def land(self, event_type: str, *events: dict[str, Any], catalogue: Catalogue = FEW) -> str:
        return landed.land(self.hdfs, self.settings, event_type, *events, catalogue=catalogue)

    def announce(self) -> list[date]:
        """Add the partitions that the metastore lacks; their days."""
        return partitions.announce(self.settings)

    def missing(self) -> list[date]:
        """Days that have files, but no partition in the metastore."""
        return [layout.partition_day(partition) for partition in sorted(partitions.missing(self.settings))]


@contextmanager
def filling(settings: Settings) -> Iterator[Lake]:
    """The tables of a namespace, while the block runs."""
    made = Lake(settings)
    made.create()
    yield made
    made.drop()

"""The tables of one namespace, without a stream; of few event types, which are sooner made."""

from collections.abc import Iterator
from contextlib import contextmanager

import landed

from questlog.catalog import files, partitions, tables
from questlog.events import CATALOGUE, Catalogue
from questlog.query import presto
from questlog.settings import Settings

FEW = Catalogue(tuple(CATALOGUE[name] for name in ("page_view", "join_guild", "purchase_potion")))


class Lake:
    """Files below the tables, and what Presto sees of them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.files = files.filesystem(settings)

    def execute(self, sql: str) -> presto.Result:
        return presto.execute(self.settings, sql)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return self.execute(sql).rows

    def create(self, catalogue: Catalogue = FEW) -> list[str]:
        return tables.create(self.execute, self.files, self.settings, catalogue)

    def drop(self, catalogue: Catalogue = FEW) -> None:
        tables.drop(self.execute, self.files, self.settings, catalogue)

    def land(self, event_type: str, *events: dict[str, object], catalogue: Catalogue = FEW) -> str:
        return landed.land(self.files, self.settings, event_type, *events, catalogue=catalogue)

    def announce(self, *found: partitions.Partition, catalogue: Catalogue = FEW) -> None:
        partitions.announce(self.settings, found, catalogue)

    def missing(self) -> list[partitions.Partition]:
        return partitions.missing(self.execute, self.settings, FEW)


@contextmanager
def filling(settings: Settings) -> Iterator[Lake]:
    """The tables of a namespace, while the block runs."""
    made = Lake(settings)
    made.create()
    yield made
    made.drop()

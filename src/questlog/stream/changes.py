"""Changes: two editions of a table's rows side by side, by event type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf
from pyspark.sql.types import MapType

from questlog.events.schema import EVENT_TYPE


@dataclass(frozen=True)
class Change:
    """Rows of one event type in one table: before and after, and of these the ones that are in one of the two alone.

    A row of which a field differs is both gone and new.
    """

    table: str
    event_type: str
    before: int
    after: int
    gone: int
    new: int


def changes(table: str, old: DataFrame, new: DataFrame, *, replaces: bool = True) -> list[Change]:
    """What becomes of each event type, in order; the new rows come in addition where they do not replace the old."""
    sides = [_hashed(old, "before"), _hashed(new, "after")]
    rows = sides[0].unionByName(sides[1], allowMissingColumns=True).groupBy(EVENT_TYPE, "row")
    counted = rows.agg(*(sf.coalesce(sf.sum(side), sf.lit(0)).alias(side) for side in ("before", "after")))
    difference = sf.col("after") - sf.col("before")
    summed = counted.groupBy(EVENT_TYPE).agg(
        sf.sum("before").alias("before"),
        sf.sum("after").alias("after"),
        sf.sum(sf.greatest(-difference, sf.lit(0))).alias("gone"),
        sf.sum(sf.greatest(difference, sf.lit(0))).alias("new"),
    )
    found = [Change(table, **row) for row in summed.orderBy(EVENT_TYPE).toArrow().to_pylist()]
    return found if replaces else [_added(change) for change in found]


def gone_from_kafka(rows: DataFrame, first: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """The partitions of the topic that begin after rows of table ``events``, each with the least offset of these."""
    if not any(first.values()):
        return
    least = rows.groupBy("kafka_partition").agg(sf.min("kafka_offset").alias("least"))
    for row in least.orderBy("kafka_partition").toArrow().to_pylist():
        if row["least"] < first.get(row["kafka_partition"], 0):
            yield row["kafka_partition"], row["least"]


def _added(change: Change) -> Change:
    return Change(change.table, change.event_type, change.before, change.before + change.after, 0, change.after)


def _hashed(rows: DataFrame, side: str) -> DataFrame:
    values = [_comparable(rows, column) for column in sorted(rows.columns)]
    return rows.select(EVENT_TYPE, sf.xxhash64(*values).alias("row"), sf.lit(1).alias(side))


def _comparable(rows: DataFrame, column: str) -> Column:
    """Spark hashes no map; and a null is not nothing beside its neighbours."""
    is_map = isinstance(rows.schema[column].dataType, MapType)
    value = sf.array_sort(sf.map_entries(column)) if is_map else sf.col(f"`{column}`")
    return sf.struct(sf.isnull(value), value)

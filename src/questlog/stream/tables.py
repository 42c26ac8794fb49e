"""The tables as DataFrames, read from HDFS at their partition locations: what a replay reads and compares with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from questlog.events import Catalogue
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.schema import (
    BATCH_COLUMNS,
    DEAD_LETTER_COLUMNS,
    EVENT_TYPE,
    PARTITION_DATE,
    Columns,
    events_columns,
)
from questlog.events.wire import TYPE_HEADER, TYPES_HEADER
from questlog.lake.types import spark_ddl
from questlog.lake.writer import Writer
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE
from questlog.stream.audit import Counts
from questlog.stream.sink import PLACE
from questlog.stream.transforms import OUTCOMES, POSITION

LETTER_PLACE = {"kafka_partition": "partition", "kafka_offset": "offset", "kafka_position": POSITION}
AS_PLACE = [f"{column} AS `{name}`" for column, name in LETTER_PLACE.items()]


@dataclass(frozen=True)
class Tables:
    """The tables of one namespace, where they lie now.

    Raises:
        LakeError: from every method, when HDFS refuses.
    """

    spark: SparkSession
    writer: Writer
    catalogue: Catalogue

    def events(self, event_types: Collection[str] | None = None, *, strict: bool = False) -> DataFrame:
        """The rows of table ``events``, of these types or of all, with ``event_date``.

        Files that cannot be read are left out, unless `strict`: then Spark raises an error when it reads.
        """
        rows = self.events_in([*self.writer.locations_of(EVENTS_TABLE).values()], strict=strict)
        return rows if event_types is None else rows.where(sf.col(EVENT_TYPE).isin(*event_types))

    def events_in(self, folders: Sequence[str], *, strict: bool = False) -> DataFrame:
        """The rows of ``events`` in some folders, with ``event_date``."""
        rows = self._read(folders, events_columns(self.catalogue), strict=strict)
        return rows.withColumn(PARTITION_DATE, sf.to_date("event_time"))

    def letters(self) -> DataFrame:
        """The rows of table ``dead_letters``."""
        return self.letters_in([*self.writer.locations_of(DEAD_LETTERS_TABLE).values()])

    def letters_in(self, folders: Sequence[str]) -> DataFrame:
        """The dead letters in some folders."""
        return self._read(folders, DEAD_LETTER_COLUMNS)

    def letters_as_records(self) -> DataFrame:
        """The dead letters as the records that they were: columns as `transforms.one_row_per_event` gives them.

        The table keeps no headers but says which type the record named: in its column, or, where no such type was
        known, in the reason.
        """
        said = sf.regexp_extract("reason", f"^{TYPES_HEADER}='(.*)': must be ", 1)
        named = sf.regexp_extract("reason", f"^{TYPE_HEADER}='(.*)': must be ", 1)
        is_known = sf.col(EVENT_TYPE) != UNKNOWN_TYPE
        is_torn = ~is_known & sf.col("reason").startswith(f"{TYPES_HEADER}=")
        header = sf.when(is_torn, sf.lit(TYPES_HEADER)).otherwise(sf.lit(TYPE_HEADER))
        text = sf.when(is_known, sf.col(EVENT_TYPE)).when(is_torn, said).otherwise(named)
        headers = sf.array(sf.struct(header.alias("key"), text.cast("binary").alias("value"))).alias("headers")
        kafka = ("kafka_topic AS topic", "kafka_time AS timestamp", *AS_PLACE)
        return self.letters().select("key", "value", headers, *map(sf.expr, kafka))

    def letters_at(self, validated: pa.Table | None, chosen: Collection[str]) -> pa.Table:
        """The letters whose records were validated again, or whose type is among `chosen`.

        Args:
            validated: columns `PLACE` of the records.
            chosen: event types.

        Returns:
            columns ``event_type`` and `PLACE`.
        """
        letters = self.letters().selectExpr(EVENT_TYPE, *AS_PLACE).toArrow()
        is_chosen = pa.compute.is_in(letters[EVENT_TYPE], pa.array([*chosen], pa.string()))
        of_type, others = letters.filter(is_chosen), letters.filter(pa.compute.invert(is_chosen))
        if validated is None:
            return of_type
        again = validated.select(PLACE).cast(others.select(PLACE).schema)
        return pa.concat_tables(
            [of_type, others.join(again, PLACE, join_type="left semi").select(letters.column_names)]
        )

    def letters_without(self, removed: pa.Table) -> DataFrame:
        """The table of dead letters without some, which their places name."""
        letters = self.letters()
        if not removed.num_rows:
            return letters
        places = self.spark.createDataFrame(removed.select(PLACE).rename_columns([*LETTER_PLACE]))
        return letters.join(sf.broadcast(places), [*LETTER_PLACE], "left_anti").select(letters.columns)

    def batches(self) -> Counts:
        """The sums of table ``batches``."""
        rows = self._read([*self.writer.locations_of(BATCHES_TABLE).values()], BATCH_COLUMNS)
        sums = rows.groupBy(EVENT_TYPE).agg(*(sf.coalesce(sf.sum(name), sf.lit(0)).alias(name) for name in OUTCOMES))
        return {row[EVENT_TYPE]: {name: row[name] for name in OUTCOMES} for row in sums.toArrow().to_pylist()}

    def _read(self, folders: Sequence[str], columns: Columns, *, strict: bool = False) -> DataFrame:
        found = self.writer.hdfs.each(self.writer.hdfs.files, folders)
        filled = [folder for folder, files in zip(folders, found, strict=True) if files]
        if not filled:
            return self.spark.createDataFrame([], spark_ddl(columns))
        reader = self.spark.read.schema(spark_ddl(columns)).option("ignoreCorruptFiles", not strict)
        return reader.parquet(*(self.writer.settings.hdfs_url + folder for folder in filled))

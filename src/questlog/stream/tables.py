"""The tables as DataFrames, read from HDFS without the metastore: what a replay compares with, and reads again."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from questlog.events import Catalogue
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.schema import (
    COMMON_COLUMNS,
    DEAD_LETTER_COLUMNS,
    HEADERS_PRESTO,
    HEADERS_SPARK,
    LEDGER_COLUMNS,
    PARTITION_DATE,
    PARTITION_TYPE,
    PRESTO_TYPES,
    SPARK_TYPES,
    Columns,
)
from questlog.events.wire import TYPE_HEADER, TYPES_HEADER
from questlog.settings import DEAD_LETTERS_TABLE, EVENTS_TABLE, LEDGER_TABLE, Settings
from questlog.stream.account import Counts
from questlog.stream.files import Files
from questlog.stream.repeats import TYPE_IN_PATH
from questlog.stream.staging import PLACE
from questlog.stream.transforms import OUTCOMES, POSITION
from questlog.stream.whereabouts import Whereabouts

SPARK_OF = {
    **{presto: SPARK_TYPES[kind] for kind, presto in PRESTO_TYPES.items()},
    "integer": "INT",
    "varbinary": "BINARY",
    HEADERS_PRESTO: HEADERS_SPARK,
}
LETTER_PLACE = {"kafka_partition": "partition", "kafka_offset": "offset", "kafka_position": POSITION}
AS_PLACE = [f"{column} AS `{name}`" for column, name in LETTER_PLACE.items()]


@dataclass(frozen=True)
class Tables:
    """The tables of one namespace, at the places where they lie now.

    Raises:
        StreamError: from every method, when HDFS refuses.
    """

    spark: SparkSession
    files: Files
    settings: Settings
    here: Whereabouts
    catalogue: Catalogue

    def events(self, event_types: Collection[str]) -> DataFrame:
        """The rows of table ``events`` of these types; files that cannot be read are left out."""
        places = self.here.places(self._home, self._began())
        wanted = {f"/{PARTITION_TYPE}={name}/" for name in event_types}
        return self.new_events([place for place in places if any(part in place for part in wanted)])

    def new_events(self, folders: Sequence[str]) -> DataFrame:
        """The rows of ``events`` in some folders, which their paths name."""
        if not (filled := self._filled(folders)):
            return self.empty_events().withColumn(PARTITION_TYPE, sf.lit(""))
        rows = self._parquet(filled, self._event_columns())
        return rows.withColumn(PARTITION_TYPE, sf.regexp_extract("_metadata.file_path", TYPE_IN_PATH, 1))

    def empty_events(self) -> DataFrame:
        """No rows of table ``events``, with its columns."""
        return self.spark.createDataFrame([], _ddl(self._event_columns()))

    def partitions(self, event_types: Collection[str]) -> list[str]:
        """The partitions of ``events`` that these types have, each as its path below the table."""
        moved = {folder for folder in self.here.moved if folder.startswith(f"{self._home}/")}
        names = sorted(folder.removeprefix(f"{self._home}/") for folder in {*self._began(), *moved})
        return [name for name in names if name.split("/")[0].removeprefix(f"{PARTITION_TYPE}=") in event_types]

    def letters(self) -> DataFrame:
        """The rows of table ``dead_letters``."""
        return self.letters_in([self.here.place(self.settings.table_path(DEAD_LETTERS_TABLE))])

    def letters_in(self, folders: Sequence[str]) -> DataFrame:
        """The dead letters in some folders."""
        return self._read(folders, DEAD_LETTER_COLUMNS)

    def letters_as_records(self) -> DataFrame:
        """The dead letters as the records that they were, unpacked: columns as `transforms.unpacked` gives them.

        The table keeps no headers but says which type the record named: in its column, or, where no such type was
        known, in the reason.
        """
        said = sf.regexp_extract("reason", f"^{TYPES_HEADER}='(.*)': must be ", 1)
        named = sf.regexp_extract("reason", f"^{TYPE_HEADER}='(.*)': must be ", 1)
        is_known = sf.col(PARTITION_TYPE) != UNKNOWN_TYPE
        is_torn = ~is_known & sf.col("reason").startswith(f"{TYPES_HEADER}=")
        header = sf.when(is_torn, sf.lit(TYPES_HEADER)).otherwise(sf.lit(TYPE_HEADER))
        text = sf.when(is_known, sf.col(PARTITION_TYPE)).when(is_torn, said).otherwise(named)
        headers = sf.array(sf.struct(header.alias("key"), text.cast("binary").alias("value"))).alias("headers")
        kafka = ("kafka_topic AS topic", "kafka_time AS timestamp", *AS_PLACE)
        return self.letters().select("key", "value", headers, *map(sf.expr, kafka))

    def letters_at(self, accounts: pa.Table | None, chosen: Collection[str]) -> pa.Table:
        """The letters whose records were judged anew, or whose type is among `chosen`.

        Args:
            accounts: columns `PLACE` of the records.
            chosen: event types.

        Returns:
            columns ``event_type`` and `PLACE`.
        """
        letters = self.letters().selectExpr(PARTITION_TYPE, *AS_PLACE).toArrow()
        is_chosen = pa.compute.is_in(letters[PARTITION_TYPE], pa.array([*chosen], pa.string()))
        of_type, others = letters.filter(is_chosen), letters.filter(pa.compute.invert(is_chosen))
        if accounts is None:
            return of_type
        judged = accounts.select(PLACE).cast(others.select(PLACE).schema)
        return pa.concat_tables(
            [of_type, others.join(judged, PLACE, join_type="left semi").select(letters.column_names)]
        )

    def letters_without(self, removed: pa.Table) -> DataFrame:
        """The table of dead letters without some, which their places name."""
        letters = self.letters()
        if not removed.num_rows:
            return letters
        places = self.spark.createDataFrame(removed.select(PLACE).rename_columns([*LETTER_PLACE]))
        return letters.join(sf.broadcast(places), [*LETTER_PLACE], "left_anti").select(letters.columns)

    def ledger(self) -> Counts:
        """The ledger's sums."""
        rows = self._read([self.here.place(self.settings.table_path(LEDGER_TABLE))], LEDGER_COLUMNS)
        sums = rows.groupBy(PARTITION_TYPE).agg(
            *(sf.coalesce(sf.sum(name), sf.lit(0)).alias(name) for name in OUTCOMES)
        )
        return {row[PARTITION_TYPE]: {name: row[name] for name in OUTCOMES} for row in sums.toArrow().to_pylist()}

    def _read(self, folders: Sequence[str], columns: Columns) -> DataFrame:
        if not (filled := self._filled(folders)):
            return self.spark.createDataFrame([], _ddl(columns))
        return self._parquet(filled, columns)

    def _parquet(self, folders: Sequence[str], columns: Columns) -> DataFrame:
        reader = self.spark.read.schema(_ddl(columns)).option("ignoreCorruptFiles", True)
        return reader.parquet(*(self.settings.hdfs_url + folder for folder in folders))

    def _filled(self, folders: Sequence[str]) -> list[str]:
        found = self.files.each(lambda folder: self.files.matching(f"{folder}/*.parquet"), folders)
        return [folder for folder, there in zip(folders, found, strict=True) if there]

    @property
    def _home(self) -> str:
        return self.settings.table_path(EVENTS_TABLE)

    def _began(self) -> list[str]:
        """The folders of partitions that are below the table's own."""
        return self.files.matching(f"{self._home}/{PARTITION_TYPE}=*/{PARTITION_DATE}=*")

    def _event_columns(self) -> Columns:
        own = tuple((field.name, PRESTO_TYPES[field.kind]) for field in self.catalogue.fields)
        return (*COMMON_COLUMNS, *own)


def _ddl(columns: Columns) -> str:
    return ", ".join(f"`{name}` {SPARK_OF[kind]}" for name, kind in columns)

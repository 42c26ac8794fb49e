"""The reference for landing: the simplest form that works, as a process that streams until it is stopped.

Each micro-batch is written by Spark aside, its files are renamed into the tables' folders under names of the batch's
number, and partitions are announced when they are new. It parses, but judges nothing, knows no repeats, keeps no
account, and a batch that is cut between two renames stays half.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame

from questlog import pipeline
from questlog.catalog import partitions
from questlog.events import CATALOGUE
from questlog.events.schema import PARTITION_DATE, PARTITION_TYPE, wire_ddl
from questlog.settings import EVENTS_TABLE, Settings
from questlog.stream import source, transforms
from questlog.stream.files import Files
from questlog.stream.session import session


class Simplest:
    """The function that Spark calls with each micro-batch."""

    def __init__(self, settings: Settings, files: Files) -> None:
        self._settings, self._files = settings, files
        self._known: set[str] = set()

    def __call__(self, rows: DataFrame, batch: int) -> None:
        """Write aside, rename, announce."""
        folder, table = f"{self._settings.staging}/{batch}", self._settings.table_path(EVENTS_TABLE)
        writer = rows.coalesce(1).write.mode("overwrite").partitionBy(PARTITION_TYPE, PARTITION_DATE)
        writer.parquet(self._settings.hdfs_url + folder)
        written = self._files.matching(f"{folder}/*/*/part-*")
        for number, file in enumerate(written):
            partition = file.removeprefix(folder).rsplit("/", 1)[0]
            self._files.rename(file, f"{table}{partition}/part-{batch}-{number}.parquet")
        if new := {file.removeprefix(folder).rsplit("/", 1)[0] for file in written} - self._known:
            self._announce(new)

    def _announce(self, folders: set[str]) -> None:
        values = [[part.split("=")[1] for part in folder.strip("/").split("/")] for folder in folders]
        found = [(name, date.fromisoformat(day)) for name, day in values]
        partitions.announce(self._settings, found)
        self._known |= folders


def main() -> None:
    """Stream until stopped."""
    settings = Settings.load()
    spark = session(settings, pipeline.place(settings))
    events = transforms.unpacked(source.source(spark, settings)).selectExpr(
        f"from_json(CAST(value AS STRING), '{wire_ddl(CATALOGUE)}') AS event", "partition", "offset"
    )
    rows = events.where("event.event_id IS NOT NULL").selectExpr(
        "event.*",
        "partition AS kafka_partition",
        "offset AS kafka_offset",
        f"to_date(event.event_time) AS {PARTITION_DATE}",
    )
    writer = rows.writeStream.option("checkpointLocation", settings.hdfs_url + settings.checkpoint)
    writer = writer.foreachBatch(Simplest(settings, Files(spark, settings.hdfs_url)))
    writer.trigger(processingTime="0 seconds").start().awaitTermination()


if __name__ == "__main__":
    main()

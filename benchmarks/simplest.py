"""The reference for landing: the simplest form that works, as a process that streams until it is stopped.

Spark writes each micro-batch to staging, its files are renamed into table ``events`` under names of the batch's number,
and partitions are added when they are new. It parses, but validates nothing, knows no duplicates, writes no audit, and
a batch that is cut between two renames stays half.
"""

from __future__ import annotations

from pyspark.sql import DataFrame

from questlog import pipeline
from questlog.catalog import partitions
from questlog.events import CATALOGUE
from questlog.events.schema import PARTITION_DATE, wire_ddl
from questlog.lake import layout
from questlog.lake.hdfs import Hdfs
from questlog.settings import EVENTS_TABLE, Settings
from questlog.stream import source, transforms
from questlog.stream.session import session


class Simplest:
    """The function that Spark calls with each micro-batch."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._hdfs = settings, Hdfs(settings)
        self._known: set[str] = set()

    def __call__(self, rows: DataFrame, batch: int) -> None:
        """Write, rename, add partitions."""
        staged = f"{self._settings.staging}/{batch}"
        writer = rows.coalesce(1).write.mode("overwrite").partitionBy(PARTITION_DATE)
        writer.parquet(self._settings.hdfs_url + staged)
        found = {folder.rsplit("/", 1)[1]: folder for folder in self._hdfs.folders(staged)}
        for partition, folder in found.items():
            self._publish(folder, layout.location(self._settings, EVENTS_TABLE, partition), batch)
        if found.keys() - self._known:
            partitions.announce(self._settings)
            self._known.update(found)

    def _publish(self, folder: str, location: str, batch: int) -> None:
        self._hdfs.make_folder(location)
        for number, file in enumerate(self._hdfs.files(folder)):
            self._hdfs.rename(file.path, f"{location}/part-{batch}-{number}.parquet")


def main() -> None:
    """Stream until stopped."""
    settings = Settings.load()
    spark = session(settings, pipeline.place(settings))
    events = transforms.one_row_per_event(source.source(spark, settings)).selectExpr(
        f"from_json(CAST(value AS STRING), '{wire_ddl(CATALOGUE)}') AS event", "partition", "offset", "position"
    )
    rows = events.where("event.event_id IS NOT NULL").selectExpr(
        "event.*",
        "partition AS kafka_partition",
        "offset AS kafka_offset",
        "position AS kafka_position",
        f"to_date(event.event_time) AS {PARTITION_DATE}",
    )
    writer = rows.writeStream.option("checkpointLocation", settings.hdfs_url + settings.checkpoint)
    writer.foreachBatch(Simplest(settings)).trigger(processingTime="0 seconds").start().awaitTermination()


if __name__ == "__main__":
    main()

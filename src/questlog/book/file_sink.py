"""Spark's own parquet file sink, as guides to Structured Streaming use it: for the experiment that kills it.

It runs in a process of its own until it has caught up: ``python -m questlog.book.file_sink``. Its exactly-once is that
of the log which it keeps in ``_spark_metadata`` below the folder.
"""

from __future__ import annotations

from questlog import pipeline
from questlog.settings import Settings
from questlog.stream import source, transforms
from questlog.stream.session import session

COLUMN = "event_id"


def folder(settings: Settings) -> str:
    """Path in HDFS of the sink's files, outside every table of ours."""
    return f"{settings.staging}/file_sink"


def checkpoint(settings: Settings) -> str:
    """Path in HDFS of its checkpoint."""
    return f"{settings.staging}/file_sink_checkpoint"


def main() -> None:
    """Write the id of each event that is valid, and end: validated by our rules, written by Spark's sink."""
    settings = Settings.load()
    spark = session(settings, pipeline.place(settings))
    events = transforms.event_columns(transforms.validated(source.source(spark, settings)))
    writer = events.select(COLUMN).writeStream.format("parquet")
    writer = writer.option("checkpointLocation", settings.hdfs_url + checkpoint(settings))
    writer.trigger(availableNow=True).start(settings.hdfs_url + folder(settings)).awaitTermination()


if __name__ == "__main__":
    main()

"""A stream that lands events with Spark's own parquet file sink, straight into the table: ours is held against it.

``python plain_sink.py`` ends when all that is in the topic has landed; ``python plain_sink.py killed`` kills itself
with -9 as soon as a file of the batch is in its table, and before Spark has written down that the batch is done: one
row of the batch takes its time.
"""

import os
import signal
import sys
import threading
import time

import psutil
from pyspark.sql import functions as sf
from pyspark.sql.streaming.query import StreamingQuery

from questlog import pipeline
from questlog.events.schema import PARTITION_DATE
from questlog.lake.hdfs import Hdfs
from questlog.lake.metastore import Metastore
from questlog.settings import EVENTS_TABLE, Settings
from questlog.stream import transforms
from questlog.stream.session import session
from questlog.stream.source import source

KILLED = "killed"
SLOW = "slow"
"""An event with this id takes `PAUSE_MS` to be written: the files of the tasks beside it are there long before."""
PAUSE_MS = 8_000


def main(settings: Settings, is_killed: bool) -> None:
    query = _started(settings)
    if is_killed:
        threading.Thread(
            target=_kill_after_the_first_file, args=(settings, len(_landed(settings))), daemon=True
        ).start()
    query.awaitTermination()


def _started(settings: Settings) -> StreamingQuery:
    spark = session(settings, pipeline.place(settings))
    rows = transforms.event_columns(transforms.validated(source(spark, settings)))
    pause = f"java_method('java.lang.Thread', 'sleep', {PAUSE_MS}L)"
    slowly = sf.expr(f"CASE WHEN event_id = '{SLOW}' THEN coalesce({pause}, event_id) ELSE event_id END")
    writer = rows.withColumn("event_id", slowly).writeStream.format("parquet")
    writer = writer.partitionBy(PARTITION_DATE).trigger(availableNow=True)
    writer = writer.option("checkpointLocation", f"{settings.hdfs_url}{settings.checkpoint}")
    return writer.start(f"{settings.hdfs_url}{settings.table_path(EVENTS_TABLE)}")


def _kill_after_the_first_file(settings: Settings, before: int) -> None:
    [java] = [child for child in psutil.Process().children(recursive=True) if child.name() == "java"]
    while len(_landed(settings)) <= before:
        time.sleep(0.05)
    java.kill()  # first: a JVM whose Python has gone aborts its batch in good order
    os.kill(os.getpid(), signal.SIGKILL)


def _landed(settings: Settings) -> list[str]:
    hdfs = Hdfs(settings)
    days = hdfs.folders(settings.table_path(EVENTS_TABLE))
    return [file.path for day in days for file in hdfs.files(day) if file.bytes]


def add_partitions(settings: Settings) -> None:
    """Show queries what has landed: the sink knows no version folders, its files lie in each day's own."""
    days = Hdfs(settings).folders(settings.table_path(EVENTS_TABLE))
    Metastore(settings).add(EVENTS_TABLE, {day.rsplit("/", 1)[1]: day for day in days})


if __name__ == "__main__":
    main(Settings.load(), is_killed=KILLED in sys.argv)

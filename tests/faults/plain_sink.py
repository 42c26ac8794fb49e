"""A stream that lands events with Spark's own parquet file sink, straight into the tables: ours is held against it.

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
from questlog.catalog import files
from questlog.events.schema import PARTITION_DATE, PARTITION_TYPE
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
    rows = transforms.event_columns(transforms.accounted(source(spark, settings)))
    pause = f"java_method('java.lang.Thread', 'sleep', {PAUSE_MS}L)"
    slowly = sf.expr(f"CASE WHEN event_id = '{SLOW}' THEN coalesce({pause}, event_id) ELSE event_id END")
    writer = rows.withColumn("event_id", slowly).writeStream.format("parquet")
    writer = writer.partitionBy(PARTITION_TYPE, PARTITION_DATE).trigger(availableNow=True)
    writer = writer.option("checkpointLocation", f"{settings.hdfs_url}{settings.checkpoint}")
    return writer.start(f"{settings.hdfs_url}{settings.table_path(EVENTS_TABLE)}")


def _kill_after_the_first_file(settings: Settings, before: int) -> None:
    [java] = [child for child in psutil.Process().children(recursive=True) if child.name() == "java"]
    while len(_landed(settings)) <= before:
        time.sleep(0.05)
    java.kill()  # first: a JVM whose Python has gone aborts its batch in good order
    os.kill(os.getpid(), signal.SIGKILL)


def _landed(settings: Settings) -> list[str]:
    return [file.path for file in files.listing(settings, EVENTS_TABLE) if file.bytes]


if __name__ == "__main__":
    main(Settings.load(), is_killed=KILLED in sys.argv)

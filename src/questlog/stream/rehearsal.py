"""A rehearsal: what a stream can do before its turn, so that its first micro-batches are not its slowest.

Java reads, checks and compiles a method when it is first used, and Spark's first batch uses some ten thousand of them.
So a query of its own reads the newest records of the topic and stages them as any batch is staged, in a folder that
nobody looks into and that is deleted; no file moves into a table, and the stream's own checkpoint is not touched.
"""

from __future__ import annotations

import logging
import uuid

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from questlog.errors import QuestlogError
from questlog.events import CATALOGUE, Catalogue
from questlog.settings import Settings
from questlog.stream import checkpoint, source, transforms
from questlog.stream.bounds import bounds
from questlog.stream.files import Files
from questlog.stream.memory import Memory
from questlog.stream.session import SparkPlace, is_local, session
from questlog.stream.staging import Staging
from questlog.stream.whereabouts import AskWhereabouts

LOG = logging.getLogger(__name__)
FOLDER = "rehearsals"
RECORDS = 20
"""Of each of the topic's partitions, in one micro-batch."""
BATCHES = 3
"""Java compiles what has run some times."""


def rehearse(
    settings: Settings, place: SparkPlace, whereabouts: AskWhereabouts, catalogue: Catalogue = CATALOGUE
) -> None:
    """Start Spark in this process and, if it is all on this machine, stage the topic's newest records and drop them.

    On a cluster Spark alone is started: the stream that runs has the cores that a query would wait for. A rehearsal
    that fails is logged: the stream then begins without it.

    Raises:
        StreamRefused: Java or a jar is missing.
        StreamError: Spark's driver did not start.
    """
    spark = session(settings, place)
    if not is_local(settings):
        return
    files = Files(spark, settings.hdfs_url)
    try:
        _stage_newest(spark, files, settings, whereabouts, catalogue)
    except (QuestlogError, Py4JError, PySparkException) as error:
        LOG.warning("the stream was not rehearsed: %s", error)
    finally:
        files.close()


def leave() -> None:
    """End the Spark of this process, whose turn did not come: it puts its scratch files away."""
    if spark := SparkSession.getActiveSession():
        spark.stop()


def _stage_newest(
    spark: SparkSession, files: Files, settings: Settings, whereabouts: AskWhereabouts, catalogue: Catalogue
) -> None:
    root = f"{settings.staging}/{FOLDER}"
    files.delete(root)  # what one that was killed has left
    folder = f"{root}/{uuid.uuid4().hex[:12]}"
    stream, here = checkpoint.stream_of(files, settings), whereabouts()
    memory = Memory(files, settings, catalogue, stream) if stream else None
    staging = Staging(files, settings, catalogue, memory=memory)

    def stage(rows: DataFrame, batch: int) -> None:
        staging.write(rows, f"{folder}/{batch}", here, is_small=True)

    rows = transforms.kept(transforms.accounted(_newest(spark, settings), None, catalogue), catalogue)
    writer = rows.writeStream.option("checkpointLocation", f"{settings.hdfs_url}{folder}/checkpoint")
    try:
        writer.trigger(availableNow=True).foreachBatch(stage).start().awaitTermination()
    finally:
        files.delete(folder)


def _newest(spark: SparkSession, settings: Settings) -> DataFrame:
    first, end = bounds(spark, settings)
    starts = {number: max(first[number], end[number] - BATCHES * RECORDS) for number in end}
    return source.source(spark, settings, RECORDS * len(end), starts)

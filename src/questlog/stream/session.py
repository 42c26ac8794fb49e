"""The Spark session: one driver in this process, quiet, on loopback, with its scratch files under the data folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from py4j.java_gateway import java_import  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

from questlog.errors import StreamError, StreamRefused
from questlog.jvm import SHORT_START
from questlog.settings import Settings
from questlog.stream import scratch
from questlog.stream.classes import Archive

LOGGING = Path(__file__).with_name("log4j2.properties")
SHUFFLE_PARTITIONS = 8
BLOCK_RETRY_MS = 10
"""First wait when a closed file's last block is not yet reported; HDFS's default is 400."""
SMALLEST_TASK = "64k"
"""Shuffled bytes below which two tasks become one."""

LISTED_BY_DRIVER = 10_000
"""Folders up to which the driver lists them itself: a job of Spark for it takes seconds when it is the first."""

PROGRESS_KEPT = 16
"""Micro-batches of which Spark remembers the progress; it is looked at many times in one."""

COMPILED_BYTES = 8_000
"""Bytecode of a method up to which Java compiles it; Spark's default allows what is then interpreted for ever."""

SHORT_NAMES = ("org.apache.spark.sql.functions", "org.apache.spark.api.python.PythonUtils")


@dataclass(frozen=True)
class SparkPlace:
    """What Spark needs of this machine: Java 17, its Kafka source's jars, the folder of Hadoop's client settings.

    With an archive of its `classes` it starts sooner.
    """

    java_home: Path
    jars: tuple[Path, ...]
    hadoop_conf: Path
    classes: Archive | None = None


def session(settings: Settings, place: SparkPlace, *, keeps_classes: bool = False) -> SparkSession:
    """The session of this process: a new one, or the one that runs already.

    The session time zone is UTC. Spark's page is on `settings.spark_ui_port`, if that is not 0.

    Args:
        settings: where Spark, HDFS and its scratch files are.
        place: what it needs of this machine.
        keeps_classes: Java writes the draft of the archive `SparkPlace.classes` at its end, if there is none yet.

    Raises:
        StreamRefused: Java or a jar is missing.
        StreamError: Spark's driver did not start.
    """
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    _refuse_missing((place.java_home / "bin" / "java", *place.jars))
    builder = SparkSession.builder
    scratch_files = scratch.claim(settings.data_dir / "spark" / "scratch")
    for name, value in spark_conf(settings, place, scratch_files, keeps_classes=keeps_classes).items():
        builder = builder.config(name, value)
    with _environment(_launch_variables(settings, place)):
        try:
            return _with_shortcuts(builder.getOrCreate())
        except Exception as error:
            raise StreamError(f"Spark's driver did not start ({error}): its own words are on stderr.") from error


def spark_conf(
    settings: Settings, place: SparkPlace, scratch_files: Path, *, keeps_classes: bool = False
) -> dict[str, str]:
    """Spark's configuration by name, as `spark-submit --conf` takes it.

    Names: https://spark.apache.org/docs/latest/configuration.html; those below ``spark.hadoop.`` are Hadoop's.
    """
    process = {**_process(settings), **_jars(settings, place)}
    process["spark.local.dir"] = str(scratch_files)
    process["spark.driver.extraJavaOptions"] = " ".join(_java(settings, place, scratch_files, keeps_classes))
    return {**process, **_sql(settings), **_hadoop(settings)}


def _java(settings: Settings, place: SparkPlace, scratch_files: Path, keeps_classes: bool) -> tuple[str, ...]:
    classes = place.classes.options(keeps=keeps_classes) if place.classes else ()
    own = f"-Dlog4j2.configurationFile={LOGGING.as_uri()}", f"-DHADOOP_USER_NAME={settings.hdfs_user}"
    return (*own, f'"-Djava.io.tmpdir={scratch_files}"', "-Duser.timezone=UTC", *SHORT_START, *classes)


def _jars(settings: Settings, place: SparkPlace) -> dict[str, str]:
    """On the class path of a driver that is all of Spark: an archive holds no others, and none has to be sent."""
    if is_local(settings):
        return {"spark.driver.extraClassPath": ":".join(map(str, place.jars))}
    return {"spark.jars": ",".join(map(str, place.jars))}


def _process(settings: Settings) -> dict[str, str]:
    conf = {
        "spark.app.name": f"questlog-{settings.namespace}",
        "spark.master": settings.spark_master,
        "spark.driver.memory": settings.spark_driver_memory,
        "spark.ui.enabled": str(settings.spark_ui_port != 0).lower(),
        "spark.ui.port": str(settings.spark_ui_port),
        "spark.ui.showConsoleProgress": "false",
    }
    # With neither, Spark finds out itself which of this machine's names the executors of a cluster can reach.
    if name := settings.advertised_host or (settings.host if is_local(settings) else ""):
        conf |= {"spark.driver.host": name, "spark.driver.bindAddress": settings.host}
    return conf


def _sql(settings: Settings) -> dict[str, str]:
    return {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": str(settings.data_dir / "spark" / "warehouse"),
        "spark.sql.codegen.hugeMethodLimit": str(COMPILED_BYTES),
        "spark.sql.shuffle.partitions": str(SHUFFLE_PARTITIONS),
        "spark.sql.sources.parallelPartitionDiscovery.threshold": str(LISTED_BY_DRIVER),
        "spark.sql.adaptive.coalescePartitions.minPartitionSize": SMALLEST_TASK,
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.sql.streaming.numRecentProgressUpdates": str(PROGRESS_KEPT),
    }


def _hadoop(settings: Settings) -> dict[str, str]:
    committer = "spark.hadoop.mapreduce.fileoutputcommitter"
    return {
        "spark.hadoop.fs.defaultFS": settings.hdfs_url,
        "spark.hadoop.dfs.client.block.write.locateFollowingBlock.initial.delay.ms": str(BLOCK_RETRY_MS),
        f"{committer}.marksuccessfuljobs": "false",
    }


def _launch_variables(settings: Settings, place: SparkPlace) -> dict[str, str]:
    variables = {"JAVA_HOME": str(place.java_home), "HADOOP_CONF_DIR": str(place.hadoop_conf)}
    return variables | ({"SPARK_LOCAL_IP": settings.host} if is_local(settings) else {})


def _with_shortcuts(spark: SparkSession) -> SparkSession:
    """Tell Py4J where PySpark's short names are: it would look through every jar for them, at each use."""
    for name in SHORT_NAMES:
        java_import(spark.sparkContext._jvm, name)
    return spark


def is_local(settings: Settings) -> bool:
    """Whether all of Spark runs in one process of this machine."""
    return settings.spark_master.startswith("local")


def _refuse_missing(files: tuple[Path, ...]) -> None:
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise StreamRefused(f"Spark needs {missing[0]}, which is not there: run scripts/setup.")


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables while Spark's launch script starts: it takes Java and Hadoop's folder from nowhere else."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

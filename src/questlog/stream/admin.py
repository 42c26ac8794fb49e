"""Kafka's AdminClient, by the jar that Spark's source brings along: topics, and where a topic begins and ends.

This is the one module of the stream that reaches into Spark's JVM: PySpark 4.2 has no public way to a Java class.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

from questlog.errors import StreamError
from questlog.settings import Settings

ASK_SECONDS = 10


@contextmanager
def admin(spark: SparkSession, settings: Settings, question: str) -> Iterator[Any]:
    """Kafka's ``AdminClient`` (Java) while the block runs; `question` is what it is asked, for the error.

    Raises:
        StreamError: Kafka refused, or did not answer within `ASK_SECONDS`.
    """
    jvm: Any = spark.sparkContext._jvm
    patience = str(ASK_SECONDS * 1000)
    conf = {
        "bootstrap.servers": settings.kafka_bootstrap,
        "default.api.timeout.ms": patience,
        "request.timeout.ms": patience,
    }
    client = jvm.org.apache.kafka.clients.admin.AdminClient.create(conf)
    try:
        yield client
    except Py4JJavaError as error:
        raise StreamError(
            f"Kafka at {settings.kafka_bootstrap} did not say within {ASK_SECONDS} s {question} "
            f"({error.java_exception.getMessage()}): start it with `questlog up`."
        ) from error
    finally:
        client.close(jvm.java.time.Duration.ZERO)


def bounds(spark: SparkSession, settings: Settings) -> tuple[dict[int, int], dict[int, int]]:
    """The first offset of each of the topic's partitions, and the one after the last.

    Raises:
        StreamError: Kafka has no such topic, or does not answer in time.
    """
    with admin(spark, settings, f"where topic {settings.topic} begins and ends") as client:
        described = client.describeTopics([settings.topic]).allTopicNames().get()
        numbers = [int(partition.partition()) for partition in described.get(settings.topic).partitions()]
        jvm: Any = spark.sparkContext._jvm
        spec = jvm.org.apache.kafka.clients.admin.OffsetSpec
        first, last = (_offsets(spark, client, settings.topic, numbers, of) for of in (spec.earliest, spec.latest))
        return first, last


def _offsets(spark: SparkSession, client: Any, topic: str, numbers: list[int], spec: Any) -> dict[int, int]:
    jvm: Any = spark.sparkContext._jvm
    of_topic = jvm.org.apache.kafka.common.TopicPartition
    places = {number: of_topic(topic, number) for number in numbers}
    answer = client.listOffsets({at: spec() for at in places.values()}).all().get()
    return {number: int(answer.get(at).offset()) for number, at in places.items()}

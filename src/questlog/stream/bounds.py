"""Where the topic begins and ends, asked through the Kafka client that Spark's source brings along."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

from questlog.errors import StreamError
from questlog.settings import Settings

ASK_SECONDS = 10


def bounds(spark: SparkSession, settings: Settings) -> tuple[dict[int, int], dict[int, int]]:
    """The first offset of each of the topic's partitions, and the one after the last.

    Raises:
        StreamError: Kafka has no such topic, or does not answer within `ASK_SECONDS`.
    """
    with _client(spark, settings) as client:
        described = client.describeTopics([settings.topic]).allTopicNames().get()
        numbers = [int(partition.partition()) for partition in described.get(settings.topic).partitions()]
        jvm: Any = spark.sparkContext._jvm
        spec = jvm.org.apache.kafka.clients.admin.OffsetSpec
        first, last = (_offsets(spark, client, settings.topic, numbers, of) for of in (spec.earliest, spec.latest))
        return first, last


def _offsets(spark: SparkSession, client: Any, topic: str, numbers: list[int], spec: Any) -> dict[int, int]:
    jvm: Any = spark.sparkContext._jvm
    place = jvm.org.apache.kafka.common.TopicPartition
    places = {number: place(topic, number) for number in numbers}
    answer = client.listOffsets({at: spec() for at in places.values()}).all().get()
    return {number: int(answer.get(at).offset()) for number, at in places.items()}


@contextmanager
def _client(spark: SparkSession, settings: Settings) -> Iterator[Any]:
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
            f"Kafka at {settings.kafka_bootstrap} did not say where topic {settings.topic} begins and ends "
            f"({error.java_exception.getMessage()}): start it with `questlog up`."
        ) from error
    finally:
        client.close(jvm.java.time.Duration.ZERO)

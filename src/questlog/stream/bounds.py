"""Where the topic begins and ends."""

from __future__ import annotations

from typing import Any

from pyspark.sql import SparkSession

from questlog.settings import Settings
from questlog.stream.admin import admin


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
    place = jvm.org.apache.kafka.common.TopicPartition
    places = {number: place(topic, number) for number in numbers}
    answer = client.listOffsets({at: spec() for at in places.values()}).all().get()
    return {number: int(answer.get(at).offset()) for number, at in places.items()}

"""The topic as a DataFrame of Spark's Kafka source, streaming or bounded.

Columns: ``key`` and ``value`` BINARY, ``topic`` STRING, ``partition`` INT, ``offset`` BIGINT, ``timestamp`` TIMESTAMP,
``timestampType`` INT, ``headers`` ARRAY<STRUCT<key STRING, value BINARY>>.
Source: https://spark.apache.org/docs/latest/streaming/structured-streaming-kafka-integration.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from pyspark.sql import DataFrame, SparkSession

from questlog.errors import StreamError
from questlog.settings import Settings
from questlog.stream.admin import admin

MOST_OFFSETS = 300_000
"""Records in a batch, unless told otherwise: a long backlog is landed in pieces that fit this machine, even if each
record holds `questlog.events.wire.MOST_PACKED` events."""

Ranges: TypeAlias = Mapping[int, tuple[int, int]]
"""For each partition of the topic the first offset, and the one after the last."""


def source(
    spark: SparkSession,
    settings: Settings,
    max_offsets: int | None = None,
    starts: Mapping[int, int] | None = None,
) -> DataFrame:
    """The topic as a stream; at most `max_offsets` records (`MOST_OFFSETS`) in a batch.

    It begins at its first record, or at the offset that `starts` has for each of its partitions.
    """
    begin = "earliest" if starts is None else json.dumps({settings.topic: starts})
    reader = spark.readStream.format("kafka").options(**_options(settings), startingOffsets=begin)
    return reader.option("maxOffsetsPerTrigger", max_offsets or MOST_OFFSETS).load()


def batch(spark: SparkSession, settings: Settings) -> DataFrame:
    """All that the topic holds now, as an ordinary DataFrame."""
    reader = spark.read.format("kafka").options(**_options(settings), startingOffsets="earliest")
    return reader.option("endingOffsets", "latest").load()


def between(spark: SparkSession, settings: Settings, ranges: Ranges) -> DataFrame:
    """The records of some of the topic's partitions, each from its first offset up to, but not including, its end."""
    start, end = ({str(number): offsets[edge] for number, offsets in ranges.items()} for edge in (0, 1))
    options = {**_options(settings), "assign": json.dumps({settings.topic: sorted(ranges)})}
    del options["subscribe"]
    reader = spark.read.format("kafka").options(**options)
    reader = reader.option("startingOffsets", json.dumps({settings.topic: start}))
    return reader.option("endingOffsets", json.dumps({settings.topic: end})).load()


def refuse_missing_topic(spark: SparkSession, settings: Settings) -> None:
    """Make sure that the topic is there: Spark itself would wait for one that never comes.

    Raises:
        StreamError: Kafka has no such topic, or does not answer in time.
    """
    topics = _topics(spark, settings)
    if settings.topic not in topics:
        there = ", ".join(topics) or "none"
        raise StreamError(
            f"Kafka at {settings.kafka_bootstrap} has no topic {settings.topic!r} (it has {there}): "
            "`questlog generate` or the API server create it."
        )


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "kafka.bootstrap.servers": settings.kafka_bootstrap,
        "subscribe": settings.topic,
        "includeHeaders": True,
        "failOnDataLoss": True,
    }


def _topics(spark: SparkSession, settings: Settings) -> list[str]:
    with admin(spark, settings, "which topics it has") as client:
        return sorted(client.listTopics().names().get())

"""The topic of the events: create it, delete it, look at it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError

from questlog.errors import TransportError
from questlog.settings import Settings
from questlog.transport.client import ANSWER_TIMEOUT, make, translated

POLL_INTERVAL = 0.05  # seconds between two questions whether a deleted topic is gone


def create_topic(settings: Settings) -> bool:
    """Create the topic unless it is there; True if it was created. Returns once every partition has a leader.

    Raises:
        TransportError: Kafka does not answer, or refuses (more replicas than brokers, for one).
    """
    topic = {
        settings.topic: {
            "num_partitions": settings.topic_partitions,
            "replication_factor": settings.topic_replication,
        }
    }
    with _administration(settings, f"creating topic {settings.topic}") as admin:
        try:
            admin.create_topics(topic)
            created = True
        except TopicAlreadyExistsError:
            created = False
        admin.wait_for_topics([settings.topic], timeout_ms=int(ANSWER_TIMEOUT * 1000))
        return created


def delete_topic(settings: Settings) -> None:
    """Delete the topic if it is there. Returns once it is gone.

    Raises:
        TransportError: Kafka does not answer, refuses, or still has the topic after `ANSWER_TIMEOUT` seconds.
    """
    with _administration(settings, f"deleting topic {settings.topic}") as admin:
        try:
            admin.delete_topics([settings.topic])
        except UnknownTopicOrPartitionError:
            return
        deadline = time.monotonic() + ANSWER_TIMEOUT
        while settings.topic in admin.list_topics():
            if time.monotonic() > deadline:
                raise TransportError(f"topic {settings.topic} was deleted {ANSWER_TIMEOUT} s ago, and is still listed")
            time.sleep(POLL_INTERVAL)


def topic_exists(settings: Settings, timeout: float = ANSWER_TIMEOUT) -> bool:
    """Whether the topic is there; `timeout` (seconds) bounds how long a Kafka that is away is waited for.

    Raises:
        TransportError: Kafka does not answer.
    """
    with _administration(settings, "listing topics", timeout) as admin:
        return settings.topic in admin.list_topics()


def end_offsets(settings: Settings) -> dict[int, int]:
    """For each partition, the offset that its next record will get.

    Raises:
        TransportError: Kafka does not answer, or has no such topic.
    """
    with consumer(settings) as reading:
        partitions = partitions_of(reading, settings)
        return {partition.partition: offset for partition, offset in reading.end_offsets(partitions).items()}


def partitions_of(reading: KafkaConsumer, settings: Settings) -> list[TopicPartition]:
    """The topic's partitions.

    Raises:
        TransportError: Kafka has no such topic.
    """
    numbers = reading.partitions_for_topic(settings.topic)
    if not numbers:
        raise TransportError(f"Kafka {settings.kafka_bootstrap} has no topic {settings.topic}: run `questlog catalog`.")
    return [TopicPartition(settings.topic, number) for number in sorted(numbers)]


@contextmanager
def consumer(settings: Settings) -> Iterator[KafkaConsumer]:
    """A consumer that belongs to no group and commits nothing.

    Raises:
        TransportError: Kafka does not answer, or refuses.
    """
    with translated(settings, f"reading topic {settings.topic}"):
        reading = make(
            KafkaConsumer,
            settings,
            ANSWER_TIMEOUT,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            auto_offset_reset="earliest",
            request_timeout_ms=int(ANSWER_TIMEOUT * 1000),
            max_poll_records=10_000,
            metrics_enabled=False,
        )
        try:
            yield reading
        finally:
            reading.close(autocommit=False)


@contextmanager
def _administration(settings: Settings, what: str, timeout: float = ANSWER_TIMEOUT) -> Iterator[KafkaAdminClient]:
    with translated(settings, what):
        admin = make(KafkaAdminClient, settings, timeout, request_timeout_ms=int(ANSWER_TIMEOUT * 1000))
        try:
            yield admin
        finally:
            admin.close()

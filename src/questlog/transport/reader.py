"""Read the topic back, from its beginning to where it ends now. Needs no consumer group and leaves no trace.

A record may hold several events (`questlog.events.wire`): `read_records` gives records, everything else events.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from questlog.errors import TransportError
from questlog.events.catalogue import UNKNOWN_TYPE, Catalogue
from questlog.events.wire import Headers, is_from_api, type_of, unpack
from questlog.settings import Settings
from questlog.transport.client import ANSWER_TIMEOUT
from questlog.transport.topics import consumer, partitions_of

Offsets = dict[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Delivered:
    """A record as Kafka holds it, or one event of it; `time` is Kafka's, in milliseconds since 1970 (UTC).

    `position` is the event's in its record. An event that was packed with others has the key that they have in common.
    """

    partition: int
    offset: int
    time: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    position: int = 0


@dataclass(frozen=True, slots=True)
class TopicCount:
    """How many events of one type the topic holds, and how many of them the API server wrote."""

    in_kafka: int = 0
    from_api: int = 0


def read_all(settings: Settings, *, on_progress: Callable[[int, int], None] | None = None) -> Iterator[Delivered]:
    """Every event up to the end that the topic has now; in their order within a partition.

    Args:
        on_progress: called now and then with (records read, records in all)

    Raises:
        TransportError: as `read_records`.
    """
    for record in read_records(settings, on_progress=on_progress):
        yield from _events(record)


def read_records(settings: Settings, *, on_progress: Callable[[int, int], None] | None = None) -> Iterator[Delivered]:
    """Every record up to the end that the topic has now, as Kafka has it; in the order of offsets within a partition.

    Args:
        on_progress: called now and then with (records read, records in all)

    Raises:
        TransportError: Kafka does not answer, has no such topic, or delivers nothing for `ANSWER_TIMEOUT` seconds.
    """
    with consumer(settings) as reading:
        partitions = partitions_of(reading, settings)
        start, end = reading.beginning_offsets(partitions), reading.end_offsets(partitions)
        yield from _between(reading, start, end, on_progress)


def count_by_type(
    settings: Settings, catalogue: Catalogue, *, on_progress: Callable[[int, int], None] | None = None
) -> dict[str, TopicCount]:
    """The topic's events by type, records of no known type under `UNKNOWN_TYPE`; nothing is parsed.

    Raises:
        TransportError: as `read_all`.
    """
    in_kafka = dict.fromkeys((*catalogue.names, UNKNOWN_TYPE), 0)
    from_api = dict(in_kafka)
    for event in read_all(settings, on_progress=on_progress):
        name = type_of(event.headers, catalogue)
        in_kafka[name] += 1
        from_api[name] += is_from_api(event.headers)
    return {name: TopicCount(in_kafka[name], from_api[name]) for name in in_kafka}


def last_records(settings: Settings, n: int) -> list[Delivered]:
    """The topic's newest `n` events by Kafka's time, oldest first.

    Raises:
        TransportError: as `read_all`.
    """
    with consumer(settings) as reading:
        partitions = partitions_of(reading, settings)
        first, end = reading.beginning_offsets(partitions), reading.end_offsets(partitions)
        start = {partition: max(first[partition], end[partition] - n) for partition in partitions}
        events = [event for record in _between(reading, start, end, None) for event in _events(record)]
    newest = sorted(events, key=lambda event: (event.time, event.partition, event.offset, event.position))
    return newest[-n:] if n > 0 else []


def _events(of: Delivered) -> Iterator[Delivered]:
    for position, (value, headers) in enumerate(unpack(of.value, of.headers)):
        yield Delivered(of.partition, of.offset, of.time, of.key, value, headers, position)


def _between(
    reading: KafkaConsumer, start: Offsets, end: Offsets, on_progress: Callable[[int, int], None] | None
) -> Iterator[Delivered]:
    """The records from `start` up to, but not including, `end`."""
    waiting = {partition for partition in end if start[partition] < end[partition]}
    reading.assign(list(waiting))
    for partition in waiting:
        reading.seek(partition, start[partition])
    done, total = 0, sum(end[partition] - start[partition] for partition in end)
    for batch in _polls(reading, waiting, end):
        for record in batch:
            yield Delivered(
                record.partition, record.offset, record.timestamp, record.key, record.value, tuple(record.headers)
            )
        done += len(batch)
        if on_progress:
            on_progress(done, total)


def _polls(reading: KafkaConsumer, waiting: set[TopicPartition], end: Offsets) -> Iterator[list[ConsumerRecord]]:
    """Lists of records until no partition is `waiting`: position tells, for an offset may hold no record."""
    heard = time.monotonic()
    while waiting:
        for partition, records in reading.poll(timeout_ms=200).items():
            heard = time.monotonic()
            yield [record for record in records if record.offset < end[partition]]
        for partition in [each for each in waiting if reading.position(each) >= end[each]]:
            waiting.discard(partition)
            reading.pause(partition)
        if time.monotonic() - heard > ANSWER_TIMEOUT:
            raise TransportError(f"Kafka delivered nothing for {ANSWER_TIMEOUT} s, with {waiting} still to be read")

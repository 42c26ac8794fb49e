"""The partition of a record: the one that every client of Kafka gives a key, remembered from one record to the next."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from kafka.cluster import ClusterMetadata
from kafka.partitioner import DefaultPartitioner, murmur2

REMEMBERED_KEYS = 65_536  # of the players who were last seen; a few MB in each process

_hash = functools.lru_cache(REMEMBERED_KEYS)(murmur2)  # in pure Python: a third of the time that sending a record takes


def of_key(numbers: Sequence[int], key: bytes) -> int:
    """Which of a topic's partitions, whose numbers are given in their order, is the key's."""
    place: int = (_hash(key) & 0x7FFFFFFF) % len(numbers)
    return numbers[place]


class ByKey(DefaultPartitioner):  # type: ignore[misc]
    """`DefaultPartitioner` with a memory. A player's events keep their partition, and so their order."""

    def partition(  # noqa: PLR0917 (kafka-python's order)
        self,
        topic: str,
        key: object,
        serialized_key: bytes | None,
        value: object,
        serialized_value: bytes | None,
        cluster: ClusterMetadata,
    ) -> int:
        """The partition's number.

        Raises:
            ValueError: the topic is not known.
        """
        numbers = cluster.partitions_for_topic(topic)
        if serialized_key is None or not numbers:
            return int(super().partition(topic, key, serialized_key, value, serialized_value, cluster))
        return of_key(sorted(numbers), serialized_key)

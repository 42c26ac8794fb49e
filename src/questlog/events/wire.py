"""An event as a Kafka record, alone or with others: key, value and headers.

*Alone*: the value is one JSON object in UTF-8: the stamped and common fields, the type's own fields, and ``headers``,
an object of strings. The key is the player, so that one player's events keep their order. The record's header
``event_type`` names the type, so that a reader can count and filter without parsing; ``producer`` tells who wrote it.

*Packed*: several events that are published at the same time and go to the same partition, because what a record costs
is much, whatever is in it. The value is NDJSON: the values of the events, in their order, with a line feed between two.
In place of ``event_type`` the header ``event_types`` lists the lines' types, in order, with a comma between two. The
key is that of the first event, the other headers are those that all of them have.

An event's place is its record's partition and offset, and its *position* in the record, counted from 0. A record whose
lines are not as many as its types, or are no UTF-8, is *torn*: it is one record of no known type.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson

from questlog.events.catalogue import UNKNOWN_TYPE, Catalogue

TYPE_HEADER = "event_type"
TYPES_HEADER = "event_types"
PRODUCER_HEADER = "producer"
API_PRODUCER = b"questlog-api"

MOST_PACKED = 32  # events; a reader that takes so many records takes at most so many times as many events
MOST_PACKED_BYTES = 65_536  # of a value with several events; Kafka's own limit for a record is 1 MiB

Headers = tuple[tuple[str, bytes | None], ...]

_LINE, _COMMA = b"\n", b","  # neither is in an event's JSON as it is encoded here, or in a type's name
_MARK = ((PRODUCER_HEADER, API_PRODUCER),)
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Record:
    """What is handed to Kafka."""

    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def encode(event: Mapping[str, object]) -> Record:
    """The record of an event that `validation.parse` made.

    Raises:
        ValueError: a number is not finite, so that JSON cannot say it.
    """
    return Record(str(event["user_id"]).encode(), _json(event), _headers(str(event["event_type"])))


def pack(records: Iterable[Record], partition_of: Callable[[bytes], int]) -> list[Record]:
    """Records that are published together as fewer: those that `encode` made share one where they share a partition.

    In each partition the events keep their order. What is not of `encode` stays as it is.

    Args:
        partition_of: the partition of a key
    """
    packs: list[list[Record]] = []
    filling: dict[int, tuple[list[Record], int]] = {}
    for record in records:
        if record.key is None or record.headers[1:] != _MARK:
            filling.clear()  # what comes after it may not be put before it
            packs.append([record])
            continue
        partition, size = partition_of(record.key), len(record.value) + len(_LINE)
        together, filled = filling.get(partition, ([], 0))
        if not together or len(together) == MOST_PACKED or filled + size > MOST_PACKED_BYTES:
            together, filled = [], 0
            packs.append(together)
        together.append(record)
        filling[partition] = together, filled + size
    return [_joined(together) for together in packs]


def unpack(value: bytes | None, headers: Headers) -> Iterator[tuple[bytes | None, Headers]]:
    """The value and the headers of each of a record's events, as if it were alone; of a torn record its own."""
    types = dict(headers).get(TYPES_HEADER)
    if types is None or value is None or not _is_whole(value, types):
        yield value, headers
        return
    others = tuple(header for header in headers if header[0] not in (TYPE_HEADER, TYPES_HEADER))
    for line, name in zip(value.split(_LINE), types.split(_COMMA), strict=True):
        yield line, ((TYPE_HEADER, name), *others)


def type_of(headers: Iterable[tuple[str, bytes | None]], catalogue: Catalogue) -> str:
    """The type that an unpacked record's headers name; `UNKNOWN_TYPE` for none, or one that the catalogue has not.

    The last header of a name counts, as in `Headers.lastHeader` of Kafka's own client.
    """
    found = dict(headers)
    named = None if TYPES_HEADER in found else found.get(TYPE_HEADER)  # with both it is torn
    name = named.decode("utf-8", "replace") if named else UNKNOWN_TYPE
    return name if name in catalogue else UNKNOWN_TYPE


def is_from_api(headers: Iterable[tuple[str, bytes | None]]) -> bool:
    """Whether the API server wrote the record."""
    return dict(headers).get(PRODUCER_HEADER) == API_PRODUCER


def _json(event: Mapping[str, object]) -> bytes:
    """In UTF-8. Not by orjson where a number may be infinite or none: it would write null."""
    return _JSON.encode(event).encode() if float in map(type, event.values()) else orjson.dumps(event)


@functools.cache
def _headers(event_type: str) -> tuple[tuple[str, bytes], ...]:
    return ((TYPE_HEADER, event_type.encode()), *_MARK)


def _joined(records: list[Record]) -> Record:
    first = records[0]
    if len(records) == 1:
        return first
    types = _COMMA.join([record.headers[0][1] for record in records])
    value = _LINE.join([record.value for record in records])
    return Record(first.key, value, ((TYPES_HEADER, types), *_MARK))


def _is_whole(value: bytes, types: bytes) -> bool:
    if value.count(_LINE) != types.count(_COMMA):
        return False
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True

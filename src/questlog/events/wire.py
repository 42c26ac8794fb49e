"""An event as a Kafka record: key, value and headers.

The value is one JSON object in UTF-8: the stamped and common fields, the type's own fields, and ``headers``, an object
of strings. The key is the player, so that one player's events keep their order. The record's header ``event_type``
names the type, so that a reader can count and filter without parsing; ``producer`` tells who wrote the record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from questlog.events.catalogue import UNKNOWN_TYPE, Catalogue

TYPE_HEADER = "event_type"
PRODUCER_HEADER = "producer"
API_PRODUCER = b"questlog-api"

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Record:
    """What is handed to Kafka."""

    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def encode(event: Mapping[str, object]) -> Record:
    """The record of an event that `validation.parse` made."""
    value = _JSON.encode(event).encode()
    headers = ((TYPE_HEADER, str(event["event_type"]).encode()), (PRODUCER_HEADER, API_PRODUCER))
    return Record(str(event["user_id"]).encode(), value, headers)


def type_of(headers: Iterable[tuple[str, bytes | None]], catalogue: Catalogue) -> str:
    """The type that a record's headers name; `UNKNOWN_TYPE` for none, or one that is not in the catalogue.

    The last header of a name counts, as in `Headers.lastHeader` of Kafka's own client.
    """
    named = dict(headers).get(TYPE_HEADER)
    name = named.decode("utf-8", "replace") if named else UNKNOWN_TYPE
    return name if name in catalogue else UNKNOWN_TYPE


def is_from_api(headers: Iterable[tuple[str, bytes | None]]) -> bool:
    """Whether the API server wrote the record."""
    return dict(headers).get(PRODUCER_HEADER) == API_PRODUCER

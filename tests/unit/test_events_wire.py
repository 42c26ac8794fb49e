from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from event_strategies import WIDE, events
from questlog.events import CATALOGUE
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.validation import parse
from questlog.events.wire import (
    API_PRODUCER,
    MOST_PACKED,
    MOST_PACKED_BYTES,
    Record,
    encode,
    is_from_api,
    pack,
    type_of,
    unpack,
)

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
PARTITIONS = 3
EVENT = {"event_type": "join_guild", "user_id": "player-1", "guild": "Nœud 😀"}


def test_a_record_holds_the_event_as_utf_8_json_keyed_by_the_player() -> None:
    record = encode(EVENT)

    assert record.key == b"player-1"
    assert record.value == '{"event_type":"join_guild","user_id":"player-1","guild":"Nœud 😀"}'.encode()
    assert dict(record.headers) == {"event_type": b"join_guild", "producer": API_PRODUCER}


def test_a_number_that_json_does_not_know_is_never_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode({**EVENT, "price": float("nan")})


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ([("event_type", b"join_guild")], "join_guild"),
        ([("event_type", b"page_view"), ("event_type", b"join_guild")], "join_guild"),
        ([], UNKNOWN_TYPE),
        ([("event_type", b"slay_dragon")], UNKNOWN_TYPE),
        ([("event_type", b"\xff")], UNKNOWN_TYPE),
        ([("event_type", b"")], UNKNOWN_TYPE),
        ([("event_type", None)], UNKNOWN_TYPE),
        ([("Event_Type", b"join_guild")], UNKNOWN_TYPE),
        ([("event_type", b"join_guild"), ("event_types", b"join_guild")], UNKNOWN_TYPE),
    ],
)
def test_the_last_header_names_the_type(headers: list[tuple[str, bytes | None]], name: str) -> None:
    assert type_of(headers, CATALOGUE) == name


def test_a_record_tells_whether_the_api_wrote_it() -> None:
    assert is_from_api(encode(EVENT).headers)
    assert not is_from_api([("producer", b"somebody")])
    assert not is_from_api([])


FOREIGN = st.builds(Record, st.none() | st.binary(max_size=3), st.binary(max_size=5), st.just((("event_type", b"x"),)))
ENCODED = events(WIDE).map(lambda made: encode(parse(made[0], made[1], {"Host": "game"}, NOW)))


def partition_of(key: bytes) -> int:
    return sum(key) % PARTITIONS


def unpacked(records: list[Record]) -> list[Record]:
    """The events of records, each as if it had come alone, with the key of its record."""
    return [
        Record(record.key, value or b"", headers)  # type: ignore[arg-type]
        for record in records
        for value, headers in unpack(record.value, record.headers)
    ]


def by_partition(records: list[Record]) -> dict[int | None, list[tuple[bytes, object]]]:
    places = [None if record.key is None else partition_of(record.key) for record in records]
    return {
        place: [(record.value, record.headers) for record, own in zip(records, places, strict=True) if own == place]
        for place in set(places)
    }


@given(st.lists(ENCODED | FOREIGN, max_size=40))
def test_what_is_packed_is_unpacked_in_the_order_of_each_partition(records: list[Record]) -> None:
    assert by_partition(unpacked(pack(records, partition_of))) == by_partition(records)


@given(st.lists(ENCODED, min_size=1, max_size=40))
def test_events_of_a_partition_share_a_record_that_names_their_types(records: list[Record]) -> None:
    packed = pack(records, partition_of)

    assert len(packed) <= PARTITIONS + len(records) // MOST_PACKED
    for record in packed:
        assert is_from_api(record.headers)
        assert ("event_types" in dict(record.headers)) == (b"\n" in record.value)


def test_a_record_with_one_event_is_as_if_nothing_had_been_packed() -> None:
    records = [encode({**EVENT, "user_id": user}) for user in ("a", "b", "c")]

    assert pack(records, partition_of) == records


def test_a_record_holds_only_so_many_events_and_bytes() -> None:
    small = [encode({**EVENT, "place": place}) for place in range(MOST_PACKED * 2 + 1)]
    large = [encode({**EVENT, "guild": "x" * (MOST_PACKED_BYTES // 3)}) for _ in range(4)]

    assert [len(list(unpack(record.value, record.headers))) for record in pack(small, partition_of)] == [
        MOST_PACKED,
        MOST_PACKED,
        1,
    ]
    assert all(len(record.value) <= MOST_PACKED_BYTES for record in pack(large, partition_of))
    assert len(pack(large, partition_of)) == 2


def test_what_the_api_did_not_write_is_not_packed_and_keeps_its_place_in_the_order() -> None:
    own, foreign = encode(EVENT), Record(b"player-1", b"two\nlines", (("event_type", b"join_guild"),))

    assert pack([own, foreign, own], partition_of) == [own, foreign, own]


@pytest.mark.parametrize(
    ("value", "types"),
    [
        (b"{}\n{}", b"page_view"),
        (b"{}", b"page_view,page_view"),
        (b"{}\n{}\n", b"page_view,page_view"),
        (b"\xff\n{}", b"page_view,page_view"),
        (b"{}", None),
        (None, b"page_view"),
    ],
)
def test_a_torn_record_is_one_of_no_known_type(value: bytes | None, types: bytes | None) -> None:
    headers = (("event_type", b"page_view"), ("event_types", types))

    assert list(unpack(value, headers)) == [(value, headers)]
    assert type_of(headers, CATALOGUE) == UNKNOWN_TYPE


def test_the_last_list_of_types_counts() -> None:
    headers = (("event_types", b"page_view"), ("other", b"1"), ("event_types", b"page_view,join_guild"))

    assert list(unpack(b"1\n2", headers)) == [
        (b"1", (("event_type", b"page_view"), ("other", b"1"))),
        (b"2", (("event_type", b"join_guild"), ("other", b"1"))),
    ]

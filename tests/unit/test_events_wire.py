import pytest

from questlog.events import CATALOGUE
from questlog.events.catalogue import UNKNOWN_TYPE
from questlog.events.wire import API_PRODUCER, encode, is_from_api, type_of

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
    ],
)
def test_the_last_header_names_the_type(headers: list[tuple[str, bytes | None]], name: str) -> None:
    assert type_of(headers, CATALOGUE) == name


def test_a_record_tells_whether_the_api_wrote_it() -> None:
    assert is_from_api(encode(EVENT).headers)
    assert not is_from_api([("producer", b"somebody")])
    assert not is_from_api([])

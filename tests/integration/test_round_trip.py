"""Every layer agrees on what an event is: whatever the catalogue allows comes back from Presto as it was sent."""

import json
from datetime import UTC, datetime
from typing import Any

import requests
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from event_strategies import ALL_KINDS, WIDE, Event, events
from questlog import pipeline
from questlog.events import EventType, Kind, validation
from questlog.events.schema import input_fields
from questlog.events.wire import encode
from questlog.lake import presto
from questlog.settings import Settings
from questlog.transport import reader
from questlog.transport.producer import Publisher

EVENTS = 150  # at least, in each example
EXAMPLES = 2
ALONE = 20  # of them, one in a request and so in a record
ONCE = with_settings(phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
"""A failing example is not made smaller: each try goes through the whole pipeline."""
HEADERS = {"Content-Type": "application/x-ndjson", "User-Agent": "round trip"}


class Drawn(list[Event]):
    """Events of one example; named by their number alone, because hypothesis would write a book about each."""

    def __repr__(self) -> str:
        return f"<{len(self)} events>"


def send(settings: Settings, made: list[Event]) -> None:
    """By the API: most in batches, some alone; the type that it does not know as its own code would write it."""
    known = [{**given, "event_type": of.name} for of, given in made if of != ALL_KINDS]
    for alone in known[:ALONE]:
        answer = requests.post(f"{settings.api_url}/events", json=alone, timeout=30)
        assert answer.status_code == 201, answer.text
    lines = [json.dumps(event, ensure_ascii=False) for event in known[ALONE:]]
    answer = requests.post(f"{settings.api_url}/events", "\n".join(lines).encode(), headers=HEADERS, timeout=30)
    assert answer.status_code == 201, answer.text
    rest = [validation.parse(of, given, {}, datetime.now(UTC)) for of, given in made if of == ALL_KINDS]
    publisher = Publisher(settings)
    publisher.publish([encode(event) for event in rest])
    publisher.close()


def expected(of: EventType, given: dict[str, Any]) -> dict[str, Any]:
    """The event as its table shows it: with its version's defaults, and times in UTC to the millisecond."""
    event = validation.parse(of, given, {}, datetime.now(UTC))
    fields = [field for field in input_fields(of) if given.get(field.name) is not None or field.name != "event_time"]
    known = {field.name: field.kind for field in fields}
    return {
        name: as_time(event.get(name)) if kind is Kind.TIMESTAMP else event.get(name) for name, kind in known.items()
    }


def as_time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def stored(settings: Settings, of: EventType) -> dict[str, dict[str, Any]]:
    """The rows of the type's table by event id."""
    names = [field.name for field in input_fields(of)]
    answer = presto.execute(settings, f"SELECT {', '.join(names)} FROM {of.name}")
    rows = [dict(zip(names, row, strict=True)) for row in answer]
    return {row["event_id"]: {name: with_zone(value) for name, value in row.items()} for row in rows}


def with_zone(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def test_whatever_the_catalogue_allows_comes_back_from_presto_as_it_was_sent(fresh: Settings) -> None:
    with pipeline.api(fresh) as serving:

        @with_settings(ONCE, max_examples=EXAMPLES)
        @given(st.lists(events(WIDE), min_size=EVENTS, max_size=EVENTS + 1).map(Drawn), st.uuids())
        def comes_back(drawn: list[Event], batch: object) -> None:
            made = [(of, {**given, "event_id": f"{batch}-{place}"}) for place, (of, given) in enumerate(drawn)]
            send(serving, made)
            pipeline.stream(fresh, WIDE)
            rows = {event: row for of in WIDE for event, row in stored(fresh, of).items()}
            for of, given_fields in made:
                want, found = expected(of, given_fields), rows[given_fields["event_id"]]
                assert {name: found[name] for name in want} == want

        comes_back()
    assert len(list(reader.read_records(fresh))) < sum(1 for _ in reader.read_all(fresh)) / 3
    assert pipeline.ledger(fresh, WIDE).balances

"""An event type gains fields while its table is in use, and days that began before go on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from questlog import pipeline
from questlog.events import CATALOGUE, Catalogue, Field, Kind, validation
from questlog.events.wire import encode
from questlog.lake import presto
from questlog.settings import Settings
from questlog.transport.producer import Publisher

NOON = "2026-01-05T12:00:00.000Z"
TABLE = "page_view"
NEW_FIELDS = (
    Field(name="referrer", description="Page before it.", since=2, default="none", example="/shop"),
    Field(name="seconds", kind=Kind.INTEGER, description="How long.", unit="seconds", since=2, minimum=0, example=7),
)
BEFORE = Catalogue((CATALOGUE[TABLE], CATALOGUE["join_guild"]))
AFTER = Catalogue((replace(CATALOGUE[TABLE], fields=(*CATALOGUE[TABLE].fields, *NEW_FIELDS)), CATALOGUE["join_guild"]))
COLUMNS = "user_id, schema_version, page, referrer, seconds"

Land = Callable[..., None]


@pytest.fixture
def land(fresh: Settings, publisher: Publisher) -> Land:
    """Publish page views as the API of a catalogue would, and land them with the stream of that catalogue."""

    def land(catalogue: Catalogue, *views: dict[str, Any]) -> None:
        given = [{"event_time": NOON, "page": "/", **view} for view in views]
        publisher.publish([encode(validation.parse(catalogue[TABLE], view, {}, datetime.now(UTC))) for view in given])
        pipeline.stream(fresh, catalogue)

    return land


def users(settings: Settings, where: str) -> list[str]:
    found = pipeline.sql(settings, f"SELECT user_id FROM {TABLE} WHERE {where} ORDER BY user_id")
    return list(found["user_id"])


def test_a_new_field_is_null_in_old_rows_and_there_in_new_ones_of_the_same_day(fresh: Settings, land: Land) -> None:
    land(BEFORE, {"user_id": "ada"})
    land(
        AFTER,
        {"user_id": "bob", "schema_version": 1},
        {"user_id": "cy", "referrer": "/shop", "seconds": 7},
        {"user_id": "dee"},
    )

    rows = presto.execute(fresh, f"SELECT {COLUMNS} FROM {TABLE} ORDER BY user_id").rows
    assert rows == [
        ("ada", 1, "/", None, None),
        ("bob", 1, "/", None, None),
        ("cy", 2, "/", "/shop", 7),
        ("dee", 2, "/", "none", None),
    ]
    assert users(fresh, "referrer IS NULL") == ["ada", "bob"]
    assert users(fresh, "referrer = '/shop' AND seconds > 6") == ["cy"]
    versions = presto.execute(fresh, "SELECT schema_version, count(*) FROM events GROUP BY 1 ORDER BY 1").rows
    assert versions == [(1, 2), (2, 2)]
    assert pipeline.ledger(fresh, AFTER).balances
    assert pipeline.create(fresh, AFTER) == []

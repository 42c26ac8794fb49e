"""Players who behave: the events of a world."""

import functools
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest

from questlog.events import CATALOGUE, Catalogue, EventType, Field, Kind
from questlog.events.validation import parse
from questlog.generate.model import Event, Generated, simulate
from questlog.generate.parameters import parameters
from questlog.generate.players import START_GOLD
from questlog.generate.world import World

WORLDS = [
    World(),
    World(seed=7, bad_share=0.02),
    World(players=1, events=1),
    World(players=1, events=3, bad_share=0.5),
    World(players=50, events=20),
    World(players=2, events=2_000, days=1),
    World(effects=()),
    World(players=30, events=600, days=3, effects=["bots", "churn"]),
    World(players=2_000, events=6_000, days=90, start=date(2024, 2, 20), seed=2**63 - 1, bad_share=0.5),
]
RECEIVED = datetime(2026, 3, 1, tzinfo=UTC)


@functools.cache
def everything(world: World) -> list[Generated]:
    return list(simulate(world))


def good(events: Iterable[Generated]) -> list[Event]:
    return [event for event in events if isinstance(event, dict)]


def by_player(events: Iterable[Event]) -> dict[object, list[Event]]:
    players: dict[object, list[Event]] = defaultdict(list)
    for event in events:
        players[event["user_id"]].append(event)
    return players


def digest(events: Iterable[Generated]) -> str:
    return hashlib.sha256(repr(list(events)).encode()).hexdigest()


def without(catalogue: Catalogue, *names: str) -> Catalogue:
    return Catalogue(tuple(known for known in catalogue if known.name not in names))


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_the_same_world_gives_the_same_events(world: World) -> None:
    assert digest(simulate(world)) == digest(everything(world))


def test_another_seed_gives_other_events() -> None:
    first, second = (good(simulate(World(seed=seed))) for seed in (1, 2))

    assert [event["event_time"] for event in first] != [event["event_time"] for event in second]
    assert not {event["event_id"] for event in first} & {event["event_id"] for event in second}


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_a_world_has_exactly_its_events(world: World) -> None:
    events = everything(world)

    assert len(events) == len(simulate(world)) == world.events
    assert len(good(events)) == world.good


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_every_good_event_is_valid(world: World) -> None:
    for event in good(everything(world)):
        given = {name: value for name, value in event.items() if name != "event_type"}
        parsed = parse(CATALOGUE[str(event["event_type"])], given, {}, RECEIVED)
        assert {name: parsed[name] for name in event} == event


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_ids_are_unique_and_times_ascend_within_the_days(world: World) -> None:
    events = good(everything(world))
    times = [datetime.fromisoformat(str(event["event_time"])) for event in events]
    first = datetime(world.start.year, world.start.month, world.start.day, tzinfo=UTC)

    assert len({event["event_id"] for event in events}) == len(events)
    assert times == sorted(times)
    assert first <= times[0] <= times[-1] < first + timedelta(days=world.days)


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_each_player_is_created_first_and_once(world: World) -> None:
    for events in by_player(good(everything(world))).values():
        assert [event["event_type"] for event in events].count("create_player") == 1
        assert events[0]["event_type"] == "create_player"


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_players_leave_only_the_guild_they_joined_and_finish_only_the_quest_they_started(world: World) -> None:
    for events in by_player(good(everything(world))).values():
        guild = quest = None
        for event in events:
            match event["event_type"]:
                case "join_guild":
                    assert guild is None
                    guild = event["guild"]
                case "leave_guild":
                    assert guild == event["guild"]
                    guild = None
                case "start_quest":
                    assert quest is None
                    quest = event["quest"]
                case "finish_quest":
                    assert quest == event["quest"]
                    quest = None


def test_nobody_spends_more_gold_than_they_have() -> None:
    for events in by_player(good(simulate(World(events=10_000)))).values():
        gold = START_GOLD
        for event in events:
            gold += int(event.get("gold", 0)) - int(event.get("price", 0)) * int(event.get("quantity", 1))
            assert gold >= 0


def test_all_players_and_all_types_appear_in_a_world_of_moderate_size() -> None:
    events = good(everything(World()))

    assert len(by_player(events)) == World().players
    assert set(Counter(event["event_type"] for event in events)) == set(CATALOGUE.names)


def test_the_world_is_worth_analysing() -> None:
    events = good(simulate(World(players=700, events=30_000)))
    times = [datetime.fromisoformat(str(event["event_time"])) for event in events]
    hours = Counter(time.hour for time in times)
    weekdays = Counter(time.weekday() for time in times)
    guilds = Counter(event["guild"] for event in events if event["event_type"] == "join_guild")
    days = {player: {str(event["event_time"])[:10] for event in own} for player, own in by_player(events).items()}
    swords = defaultdict(list)
    for event in events:
        if event["event_type"] == "purchase_sword":
            swords[event["item"]].append(int(event["price"]))
    means = {item: sum(prices) / len(prices) for item, prices in swords.items()}

    assert 19 <= hours.most_common(1)[0][0] <= 21
    assert weekdays[5] > 1.3 * weekdays[1]
    assert guilds.most_common()[0][1] > 3 * guilds.most_common()[-1][1]
    assert sorted(means, key=lambda item: means[item]) == ["wooden", "iron", "steel", "mithril", "dragonbone"]
    assert sum(returned(days, 1)) > sum(returned(days, 14)) > 1.5 * sum(returned(days, 21))


def returned(days: dict[object, set[str]], after: int) -> list[bool]:
    firsts = {player: date.fromisoformat(min(own)) for player, own in days.items()}
    return [str(first + timedelta(days=after)) in days[player] for player, first in firsts.items()]


def test_a_type_that_the_model_does_not_know_is_generated_from_its_fields() -> None:
    tenth = EventType(
        name="adopt_pet",
        title="Adopt pet",
        description="A player adopts a pet.",
        fields=(
            Field(name="species", description="Its species.", required=True, choices=("owl", "cat"), example="owl"),
            Field(name="pet", description="Its name.", required=True, example="Archimedes"),
            Field(
                name="weight", kind=Kind.NUMBER, description="Weight.", required=True, minimum=1, maximum=9, example=1.5
            ),
            Field(name="legs", kind=Kind.INTEGER, description="Legs.", example=4),
            Field(name="tame", kind=Kind.BOOLEAN, description="Whether it is tame.", example=True),
            Field(
                name="born_at", kind=Kind.TIMESTAMP, description="Birth.", required=True, example="2026-01-05T10:00:00Z"
            ),
        ),
    )
    catalogue = Catalogue((*CATALOGUE.types, tenth))
    events = good(simulate(World(), catalogue))
    adopted = [event for event in events if event["event_type"] == "adopt_pet"]

    for event in adopted:
        parse(tenth, {name: value for name, value in event.items() if name != "event_type"}, {}, RECEIVED)
    assert 0.01 < len(adopted) / len(events) < 0.15
    assert {event["species"] for event in adopted} == {"owl", "cat"}
    assert any("legs" in event for event in adopted)
    assert not all("legs" in event for event in adopted)


@pytest.mark.parametrize(
    "catalogue",
    [
        without(CATALOGUE, "create_player"),
        without(CATALOGUE, "purchase_sword", "start_quest"),
        without(CATALOGUE, *(name for name in CATALOGUE.names if name != "leave_guild")),
    ],
    ids=lambda catalogue: ",".join(catalogue.names),
)
def test_a_smaller_catalogue_still_gives_all_events(catalogue: Catalogue) -> None:
    events = good(simulate(World(events=500), catalogue))

    assert len(events) == 500
    for event in events:
        given = {name: value for name, value in event.items() if name != "event_type"}
        parse(catalogue[str(event["event_type"])], given, {}, RECEIVED)


def test_events_can_be_sent_as_json() -> None:
    assert all(json.loads(json.dumps(event)) == event for event in good(simulate(World(events=500))))


def test_the_parameters_explain_every_number_of_the_model() -> None:
    frame = parameters()

    assert list(frame.columns) == ["about", "parameter", "value", "meaning"]
    assert {"WEEK_RHYTHM", "PRICE_LEVELS", "GUILDS", "QUESTS", "WEIGHTS", "SEGMENTS", "CHURN"} <= set(
        frame["parameter"]
    )
    assert (frame["meaning"] != "").all()
    assert frame["meaning"].is_unique
    assert not frame["value"].str.contains(" at 0x").any()


def test_an_effect_that_is_switched_off_leaves_no_trace_of_its_own() -> None:
    plain = good(everything(World(effects=())))
    views = [event["page"] for event in plain if event["event_type"] == "page_view"]
    joined = {str(event["event_time"])[:10] for event in plain if event["event_type"] == "join_guild"}

    assert views.count("/leaderboard") < 0.2 * len(views)
    assert len(joined) > 20


def test_whoever_stays_away_all_events_are_played_by_the_others() -> None:
    for seed in range(5):
        world = World(players=3, events=200, days=10, seed=seed, effects=["churn", "lapsing"])
        assert len(good(simulate(world))) == 200

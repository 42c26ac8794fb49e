"""The event types of the game. To add one, add one entry to `CATALOGUE`.

To give a type that has landed events a new field, add it as an optional one whose `since` is the type's next version:
clients of the version before go on as they are, and their rows have null in its column.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from questlog.errors import SettingsError
from questlog.events import rules
from questlog.events.fields import EventType, Field, Kind

IDENTIFIER = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}"
MOST_GOLD = 1_000_000
DEFAULT_TYPE = "page_view"
UNKNOWN_TYPE = "(unknown)"
VERSION = "schema_version"

COMMON = (
    Field(
        name="event_id",
        description="Names this event; a client may choose it, so that it can send again safely.",
        pattern=IDENTIFIER,
        example="7c9e6679-7425-40de-944b-e07fc1f90ae7",
    ),
    Field(
        name="event_time",
        kind=Kind.TIMESTAMP,
        description="When it happened, to the millisecond; the time of receipt if the client does not say.",
        unit="UTC",
        example="2026-01-05T10:00:00.000Z",
    ),
    Field(
        name="user_id",
        description="The player.",
        pattern=IDENTIFIER,
        default="anonymous",
        example="player-0001",
    ),
)
"""Fields that a client may give with every event."""

STAMPED = (
    Field(name="event_type", description="Its kind, from the catalogue.", required=True, example="purchase_sword"),
    Field(
        name=VERSION,
        kind=Kind.INTEGER,
        description="Version of the type's fields.",
        required=True,
        minimum=1,
        maximum=1_000_000,
        example=1,
    ),
    Field(
        name="received_at",
        kind=Kind.TIMESTAMP,
        description="When the API server received it.",
        required=True,
        unit="UTC",
        example="2026-01-05T10:00:00.250Z",
    ),
)
"""Fields that every record has, given by the client or not; beside them are the request's headers of `KEPT_HEADERS`."""

KEPT_HEADERS = ("host", "user-agent", "accept-language", "x-client-version", "x-request-id")
"""Request headers that are stored. Never Authorization, never Cookie."""
MOST_HEADER_CHARACTERS = 256

_PRICE = Field(
    name="price",
    kind=Kind.INTEGER,
    description="What one piece cost.",
    unit="gold",
    required=True,
    minimum=0,
    maximum=MOST_GOLD,
    example=120,
)
_GUILD = Field(name="guild", description="The guild's name.", required=True, example="Night Watch")
_QUEST = Field(name="quest", description="The quest's name.", required=True, example="The Dragon's Lair")


def _item(description: str, *choices: str) -> Field:
    return Field(name="item", description=description, required=True, choices=choices, example=choices[0])


@dataclass(frozen=True)
class Catalogue:
    """The event types, by name; iterating gives them in the order of their definition.

    Raises:
        SettingsError: when two types share a name, two types give the same field another kind, a type's versions have a
            gap, a field of a later version is required, or a pattern cannot be read.
    """

    types: tuple[EventType, ...]

    def __post_init__(self) -> None:
        rules.check(self.types, shared=(*COMMON, *STAMPED))

    def __iter__(self) -> Iterator[EventType]:
        return iter(self.types)

    def __getitem__(self, name: str) -> EventType:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self.names

    @functools.cached_property
    def _by_name(self) -> dict[str, EventType]:
        return {known.name: known for known in self.types}

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the event types."""
        return tuple(known.name for known in self.types)

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every type's own fields, each name once, in the order of their first appearance."""
        return tuple({field.name: field for known in self.types for field in known.fields}.values())

    def select(self, names: Iterable[str] | None) -> tuple[str, ...]:
        """The names asked for, in the catalogue's order; all of them for None.

        Raises:
            SettingsError: when a name is not in the catalogue.
        """
        wanted = set(self.names if names is None else names)
        if unknown := sorted(wanted - set(self.names)):
            raise SettingsError(f"event types {unknown!r} are not in the catalogue; it has {', '.join(self.names)}")
        return tuple(name for name in self.names if name in wanted)


CATALOGUE = Catalogue(
    (
        EventType(
            name="page_view",
            title="Page view",
            description="A player looks at a page of the game; the default event, sent by a bare request.",
            fields=(Field(name="page", description="Path of the page.", default="/", max_length=256, example="/shop"),),
        ),
        EventType(
            name="create_player",
            title="Create player",
            description="Somebody creates a player and begins.",
            fields=(
                Field(
                    name="character",
                    description="The class of the player's character.",
                    required=True,
                    choices=("warrior", "mage", "rogue", "healer"),
                    example="mage",
                ),
                Field(name="country", description="Country, ISO 3166.", pattern="[A-Z]{2}", max_length=2, example="NL"),
            ),
        ),
        EventType(
            name="purchase_sword",
            title="Purchase sword",
            description="A player buys a sword.",
            fields=(_item("The kind of sword.", "wooden", "iron", "steel", "mithril", "dragonbone"), _PRICE),
        ),
        EventType(
            name="purchase_shield",
            title="Purchase shield",
            description="A player buys a shield.",
            fields=(_item("The kind of shield.", "buckler", "kite", "tower", "aegis"), _PRICE),
        ),
        EventType(
            name="purchase_potion",
            title="Purchase potion",
            description="A player buys potions.",
            fields=(
                _item("The kind of potion.", "healing", "mana", "haste", "luck"),
                _PRICE,
                Field(
                    name="quantity",
                    kind=Kind.INTEGER,
                    description="How many.",
                    unit="pieces",
                    default=1,
                    minimum=1,
                    maximum=99,
                    example=3,
                ),
            ),
        ),
        EventType(
            name="join_guild",
            title="Join guild",
            description="A player joins a guild.",
            fields=(_GUILD,),
        ),
        EventType(
            name="leave_guild",
            title="Leave guild",
            description="A player leaves a guild.",
            fields=(
                _GUILD,
                Field(name="reason", description="Why, in the player's words.", max_length=256, example="too quiet"),
            ),
        ),
        EventType(
            name="start_quest",
            title="Start quest",
            description="A player sets out on a quest.",
            fields=(
                _QUEST,
                Field(
                    name="difficulty",
                    description="How hard it is.",
                    choices=("easy", "normal", "hard"),
                    default="normal",
                    example="hard",
                ),
            ),
        ),
        EventType(
            name="finish_quest",
            title="Finish quest",
            description="A quest ends, one way or another.",
            fields=(
                _QUEST,
                Field(
                    name="outcome",
                    description="How it ended.",
                    required=True,
                    choices=("won", "lost", "abandoned"),
                    example="won",
                ),
                Field(
                    name="gold",
                    kind=Kind.INTEGER,
                    description="What the player earned.",
                    unit="gold",
                    default=0,
                    minimum=0,
                    maximum=MOST_GOLD,
                    example=250,
                ),
                Field(
                    name="duration",
                    kind=Kind.INTEGER,
                    description="From start to end.",
                    unit="seconds",
                    minimum=0,
                    maximum=86_400,
                    example=640,
                ),
            ),
        ),
    )
)

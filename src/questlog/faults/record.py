"""What is remembered while a fault is at work: by the client, of its events; by the witness, of its looks at Presto."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | None
Fields = Mapping[str, Value]
"""An event as it has to be found again: its type, player, time and own fields; times in milliseconds since 1970."""


@dataclass(frozen=True)
class Acknowledgement:
    """Moments of one event, in seconds since 1970: when it was first sent, and when the client was told 2xx."""

    sent: float
    told: float


@dataclass
class Record:
    """A client's own account. Threads add to it.

    Args:
        acknowledged: by event id, the events that were answered with 2xx.
        unknown: by event id, those that never were: each may be there once, or not at all.
        moments: of each acknowledged event.
        refusals: seconds that each answer of 503 took.
        resets: connections that ended in the middle of a request, on which no request had been sent before.
        surprises: answers that no client should get, and silence.
    """

    acknowledged: dict[str, Fields] = field(default_factory=dict)
    unknown: dict[str, Fields] = field(default_factory=dict)
    moments: list[Acknowledgement] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Look:
    """One question to Presto: how many rows of how many events there are, and when the newest was received.

    `asked` and `answered` are seconds since 1970, `newest` too (0 without rows). `error` is why there was no answer;
    `presto_was_up` says whether one and the same Presto was ready before and after.
    """

    asked: float
    answered: float
    rows: int = 0
    events: int = 0
    newest: float = 0.0
    error: str = ""
    presto_was_up: bool = True

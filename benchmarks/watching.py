"""Freshness, as an analyst sees it: events go to the API at a steady rate, and Presto is asked until it shows them."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

import requests

from questlog.errors import QueryError
from questlog.events import CATALOGUE
from questlog.lake import presto
from questlog.settings import Settings

Clock = Callable[[], float]

TYPES = ("page_view", "start_quest", "purchase_sword")
SENDERS = 8
PATIENCE = 60.0
"""Seconds for the last events to be seen."""
LOOK_BACK = 20.0
"""Seconds after which Presto is not asked for an event any more: one that never comes would make all queries long."""
RECENT = 20_000
"""Events that are looked at for one that is unseen: of an hour's there are more, and each look would take longer."""
MARGIN = 1.0
"""Seconds by which a file may be older than the 2xx of an event in it: the answer was on its way."""
ON_ITS_WAY = 10.0
"""Seconds that the API may take to answer: so much before its 2xx an event may have been received."""
NEWEST = """SELECT event_id FROM events
WHERE "$file_modified_time" > %(since)s AND received_at > %(received)s"""
IN_TABLE = "SELECT event_id FROM events WHERE event_id IN %(events)s"
AT_ONCE = 1000
"""Events of one such query, whose text has a limit."""
PAUSE, LONG_PAUSE = 0.1, 1.0
"""Seconds between two queries: as many as Presto can answer would take what the landing needs."""


@dataclass
class Seen:
    """For each event the second, of the watch, of its 2xx and of the answer that first had it; and failed queries.

    `late` are events that were found in the table when nobody looked for them any more, after `LOOK_BACK`.
    """

    acknowledged: dict[str, float] = field(default_factory=dict)
    seen: dict[str, float] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)

    def waits(self, begin: float = 0.0, end: float = float("inf")) -> list[float]:
        """Seconds from 2xx to row, of the events acknowledged within a span of the watch.

        Of a late event only the least is known, `LOOK_BACK`.
        """
        acknowledged = self.acknowledged.items()
        seen = [self.seen[event] - at for event, at in acknowledged if begin <= at < end and event in self.seen]
        unknown = self.late - self.seen.keys()
        return seen + [LOOK_BACK] * sum(begin <= self.acknowledged[event] < end for event in unknown)

    def late_ones(self, begin: float = 0.0, end: float = float("inf")) -> int:
        """How many of these events took `LOOK_BACK` or longer."""
        return sum(wait >= LOOK_BACK for wait in self.waits(begin, end))

    def oldest_unseen(self, now: float) -> float:
        """The second of the first 2xx whose event was not seen; `now` if there is none, or none of late."""
        recent = tuple(islice(reversed(self.acknowledged.items()), RECENT))  # a copy: others add to it meanwhile
        unseen = (at for event, at in recent if event not in self.seen)
        return min((at for at in unseen if at > now - LOOK_BACK), default=now)

    def not_found(self, acknowledged_before: float = float("inf")) -> list[str]:
        """Events that were acknowledged, before some second, and neither seen nor found late: in the end, missing."""
        open_ones = self.acknowledged.keys() - self.seen.keys() - self.late
        return [event for event in open_ones if self.acknowledged[event] < acknowledged_before]


class _Line(threading.local):
    """A connection of each sender's own, kept open, as a game's client keeps it."""

    def __init__(self) -> None:
        self.session = requests.Session()


def watch(settings: Settings, url: str, seen: Seen, *, rate: float, seconds: float, before: float) -> None:
    """Send and look for so many seconds, and look on until all is seen; `before` is the watch's time at the start.

    Raises:
        requests.HTTPError: the API refused an event.
    """
    began = time.monotonic() - before

    def clock() -> float:
        return time.monotonic() - began

    due = (before + number / rate for number in range(round(rate * seconds)))
    with _looking(settings, seen, clock), ThreadPoolExecutor(SENDERS) as pool:
        line = _Line()
        sent = [pool.submit(_send, line, url, seen, clock, at) for at in due]
        for each in sent:
            each.result()
        wait_for_all(settings, seen, clock)


def wait_for_all(settings: Settings, seen: Seen, clock: Clock) -> None:
    """Return when every event was seen or is in the table, or after `PATIENCE`."""
    ends = clock() + PATIENCE
    while seen.not_found() and clock() < ends:
        time.sleep(LONG_PAUSE)
        _find_late(settings, seen, seen.not_found(clock() - LOOK_BACK))


def _find_late(settings: Settings, seen: Seen, events: Sequence[str]) -> None:
    """Ask the table for events for which the other thread no longer asks."""
    for begin in range(0, len(events), AT_ONCE):
        try:
            found = presto.execute(settings, IN_TABLE, {"events": events[begin : begin + AT_ONCE]})
        except QueryError as error:
            seen.failures.append(str(error))
        else:
            seen.late.update(event for (event,) in found)


def _send(line: _Line, url: str, seen: Seen, clock: Clock, at: float) -> None:
    """Send one event when it is due: late answers do not slow the rate."""
    event, kind = f"event-{uuid.uuid4()}", TYPES[hash(at) % len(TYPES)]
    fields = {own.name: own.example for own in CATALOGUE[kind].fields}
    time.sleep(max(at - clock(), 0))
    body = {**fields, "event_id": event, "user_id": "bench"}
    answer = line.session.post(f"{url}/{kind}", json=body, timeout=ON_ITS_WAY)
    answer.raise_for_status()
    seen.acknowledged[event] = clock()


@contextmanager
def _looking(settings: Settings, seen: Seen, clock: Clock) -> Iterator[None]:
    ends = threading.Event()
    thread = threading.Thread(target=_look, args=(settings, seen, clock, ends))
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def _look(settings: Settings, seen: Seen, clock: Clock, ends: threading.Event) -> None:
    """Ask again and again for the newest events, of the files that can hold one that was not seen.

    A file that was just merged is new, and its events are not: all of them would make the answer long.
    """
    while not ends.wait(PAUSE):
        now = clock()
        since = time.time() - (now - seen.oldest_unseen(now)) - MARGIN
        received = datetime.fromtimestamp(since - ON_ITS_WAY, UTC)
        try:
            found = presto.execute(
                settings,
                NEWEST,
                {"since": int(since * 1000), "received": received},
            )
        except QueryError as error:
            seen.failures.append(str(error))
            continue
        at = clock()
        for (event,) in found:
            seen.seen.setdefault(event, at)

"""A client of the API that keeps its own record of what it was told, to be held against what Presto sees."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import requests

from questlog.events import CATALOGUE, EventType, Field
from questlog.events.fields import Kind
from questlog.faults.record import Acknowledgement, Fields, Record, Value

THREADS = 4
PATIENCE = 10.0  # seconds for an answer: a longer silence is a hang
RATE = 50.0  # events a second, by all threads together
PLAYERS = 16
REPEATED, STRAY = 10, 50  # of so many events of a thread one is sent again, or followed by a stray record
OMITTED = 0.25  # share of optional fields that are left out
SYLLABLES = ("ka", "lö", "mi", "ñu", "ré", "sto", "Ωm", "龍")
REFUSED, ACCEPTED = 503, 201


@dataclass
class Client:
    """Threads that send events, each with an id of its own, and send again what was not acknowledged.

    Now and then one sends an event again that was acknowledged, as a game does that lost the answer, or has a stray
    record put into the topic: neither may become a row.

    Every other thread opens a connection for each request, so that one that is reset was reset in mid request; the
    others keep theirs alive, as a game does.

    Args:
        url: the API server.
        run: names this client: its events' ids and players begin with it.
        seed: same seed, same events.
        rate: events a second that it sends, as long as they are answered at once.
        days: over how many days before today its events happened.
        stray: puts a record that is no event into the topic.
    """

    url: str
    run: str
    seed: int = 1
    rate: float = RATE
    days: int = 2
    stray: Callable[[], object] = lambda: None
    record: Record = field(default_factory=Record)
    _ends: threading.Event = field(default_factory=threading.Event)

    @property
    def acknowledged(self) -> int:
        """How many events were answered with 2xx until now."""
        return len(self.record.acknowledged)

    def newest(self) -> float:
        """When the acknowledged event that was begun last was first sent, in seconds since 1970; 0 without any."""
        return max((moment.sent for moment in self.record.moments[-10 * THREADS :]), default=0.0)

    def send_until_told(self, thread: int) -> None:
        """Send one event after the other until the client's end."""
        dice, number = random.Random(f"{self.seed}-{thread}"), 0
        session = requests.Session()
        session.trust_env = False
        session.headers["Connection"] = "close" if thread % 2 else "keep-alive"
        while not self._ends.is_set():
            number += 1
            event_type = CATALOGUE.types[number % len(CATALOGUE.types)]
            event_id, given = f"{self.run}-{thread}-{number}", self._fields(event_type, dice)
            self._deliver(session, event_id, event_type, given)
            if number % REPEATED == 0 and event_id in self.record.acknowledged:
                self._is_told(session, event_id, event_type, given)
            if number % STRAY == 0:
                self.stray()

    def end(self) -> None:
        """Have the threads end after the request that each of them waits for."""
        self._ends.set()

    def _deliver(self, session: requests.Session, event_id: str, event_type: EventType, given: Fields) -> None:
        began = time.time()
        self.record.unknown[event_id] = expected(event_type, given)
        while not self._is_told(session, event_id, event_type, given):
            if self._ends.wait(THREADS / self.rate):
                return
        self.record.acknowledged[event_id] = self.record.unknown.pop(event_id)
        self.record.moments.append(Acknowledgement(began, time.time()))
        self._ends.wait(THREADS / self.rate)

    def _is_told(self, session: requests.Session, event_id: str, event_type: EventType, given: Fields) -> bool:
        """Send once; whether it was acknowledged."""
        url, began = f"{self.url}/{event_type.name}", time.monotonic()
        body = {"event_id": event_id, **{name: value for name, value in given.items() if value is not None}}
        try:
            status = session.post(url, json=body, timeout=PATIENCE).status_code
        except requests.Timeout:
            self.record.surprises.append(f"no answer within {PATIENCE} s")
            return False
        except requests.ConnectionError as error:  # the server is gone: nobody knows whether the event is
            if session.headers["Connection"] == "close" and "NewConnectionError" not in str(error):
                self.record.resets.append(str(error))
            return False
        if status == REFUSED:
            self.record.refusals.append(time.monotonic() - began)
        elif status != ACCEPTED:
            self.record.surprises.append(f"status {status}")
        return status == ACCEPTED

    def _fields(self, event_type: EventType, dice: random.Random) -> dict[str, Value]:
        happened = datetime.now(UTC) - timedelta(days=dice.randrange(self.days))
        return {
            "user_id": f"{self.run}-player-{dice.randrange(PLAYERS)}",
            "event_time": happened.isoformat(timespec="milliseconds"),
            **{each.name: _value(each, dice) for each in event_type.fields},
        }


@contextmanager
def sending(client: Client) -> Iterator[Client]:
    """The client sends while the block runs."""
    threads = [threading.Thread(target=client.send_until_told, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield client
    finally:
        client.end()
        for thread in threads:
            thread.join()


def milliseconds(moment: datetime) -> int:
    """A moment in milliseconds since 1970; one without a zone is UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1000)


def _value(of: Field, dice: random.Random) -> Value:
    """What a player might say; None leaves the field out."""
    if not of.required and dice.random() < OMITTED:
        return None
    if of.choices:
        return dice.choice(of.choices)
    if of.kind is Kind.INTEGER:
        return dice.randint(of.minimum or 0, of.maximum or 0)
    if of.max_length < len(SYLLABLES):  # a code, such as a country's
        return str(of.example)
    return f"{''.join(dice.choices(SYLLABLES, k=4))} {dice.randrange(1000)}"


def expected(event_type: EventType, given: Fields) -> Fields:
    """The row that such an event has to become: what was left out has its default."""
    own = {each.name: given[each.name] if given[each.name] is not None else each.default for each in event_type.fields}
    happened = milliseconds(datetime.fromisoformat(str(given["event_time"])))
    return {"event_type": event_type.name, "user_id": given["user_id"], "event_time": happened, **own}

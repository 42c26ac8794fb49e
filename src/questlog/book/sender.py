"""A process that sends events until it is killed, and writes the id of each one that it would have answered with ok.

``python -m questlog.book.sender waiting`` waits for Kafka's acknowledgement before it says so, as the API server does;
``hasty`` has handed the event to Kafka's client, and hopes.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from questlog.events import CATALOGUE
from questlog.events.validation import parse
from questlog.events.wire import Record, encode
from questlog.settings import Settings
from questlog.transport.link import Link
from questlog.transport.producer import Publisher

WAITING, HASTY = "waiting", "hasty"

Send = Callable[[Record], object]


def main(how: str) -> None:
    """Send to the topic of the environment's settings, without end."""
    settings = Settings.load()
    send = {WAITING: _waiting, HASTY: _hasty}[how](settings)
    for number in itertools.count(1):
        send(_purchase(f"{how}-{number}"))
        print(f"{how}-{number}", flush=True)


def _waiting(settings: Settings) -> Send:
    publisher = Publisher(settings)
    return lambda record: publisher.publish([record])


def _hasty(settings: Settings) -> Send:
    client = Link(settings).client(time.monotonic() + settings.ack_timeout)
    return lambda record: client.send(settings.topic, record.value, record.key, list(record.headers))


def _purchase(event_id: str) -> Record:
    fields = {"event_id": event_id, "user_id": f"player-{event_id}", "item": "steel", "price": 120}
    return encode(parse(CATALOGUE["purchase_sword"], fields, {}, datetime.now(UTC)))


if __name__ == "__main__":
    main(sys.argv[1])

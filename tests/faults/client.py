"""A client of the API that keeps its own record of what it was told, to be held against what Presto sees."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import requests

THREADS = 4
PATIENCE = 10.0  # seconds for an answer: a longer silence is a hang
PAUSE = 0.01  # seconds between an answer and the thread's next event


@dataclass
class Client:
    """Threads that send events, each with an id of its own, and send again what was not acknowledged.

    `acknowledged` maps ids to prices; `unknown` holds those that never were; `refusals` are the seconds that
    each answer of 503 took; `surprises` are answers that no client should get.
    """

    url: str
    run: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    acknowledged: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    refusals: list[float] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    _ends: threading.Event = field(default_factory=threading.Event)

    def send_until_told(self, thread: int) -> None:
        session, number = requests.Session(), 0
        while not self._ends.is_set():
            number += 1
            event = f"{self.run}-{thread}-{number}"
            self.unknown[event] = number
            while not self._send(session, event, number) and not self._ends.wait(PAUSE):
                pass

    def _send(self, session: requests.Session, event: str, price: int) -> bool:
        """Whether it was acknowledged."""
        fields = {"event_id": event, "user_id": f"player-{self.run}", "item": "iron", "price": price}
        began = time.monotonic()
        try:
            status = session.post(f"{self.url}/purchase_sword", json=fields, timeout=PATIENCE).status_code
        except requests.Timeout:
            self.surprises.append(f"no answer within {PATIENCE} s")
            return False
        except requests.ConnectionError:  # the server is gone: nobody knows whether the event is
            return False
        if status == 201:
            self.acknowledged[event] = self.unknown.pop(event)
            return True
        if status == 503:
            self.refusals.append(time.monotonic() - began)
        else:
            self.surprises.append(f"status {status}")
        return False


@contextmanager
def sending(url: str) -> Iterator[Client]:
    """A client that sends while the block runs."""
    client = Client(url)
    threads = [threading.Thread(target=client.send_until_told, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield client
    finally:
        client._ends.set()
        for thread in threads:
            thread.join()

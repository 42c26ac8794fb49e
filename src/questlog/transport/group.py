"""Group commit: what threads publish at the same time is sent, and waited for, as if one of them had published it all.

The first thread that comes *leads*: it sends its record and waits for Kafka. Those that come meanwhile wait in line;
once the leader has its answer, the first of the line leads, with the records of all that wait by then. So the busier
the process is, the more events share a record and a wait, and a thread that is alone waits for nobody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from questlog.errors import TransportError
from questlog.events.wire import Record

Send = Callable[[Sequence[Record], float], None]
"""Returns once all records are acknowledged, at the latest at a deadline of `time.monotonic`."""


def _locked() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False, slots=True)
class _Ticket:
    """A thread that waits. `turn` is released once: when it is to lead, or when another has sent its record."""

    record: Record
    turn: threading.Lock = field(default_factory=_locked)
    leads: bool = False
    failure: str = ""


class Group:
    """The threads of one process that publish single records."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._line: list[_Ticket] = []
        self._is_led = False

    def __len__(self) -> int:
        """The threads that wait in line."""
        with self._lock:
            return len(self._line)

    def publish(self, record: Record, deadline: float) -> None:
        """Return once the record is acknowledged.

        Raises:
            TransportError: it is not, at the deadline of `time.monotonic` or because Kafka refused it.
        """
        ticket = _Ticket(record)
        with self._lock:
            ticket.leads = not self._is_led
            if ticket.leads:
                self._is_led = True
            else:
                self._line.append(ticket)
        if not ticket.leads:
            self._wait(ticket, deadline)
        if ticket.leads:
            self._lead(ticket, deadline)
        elif ticket.failure:
            raise TransportError(ticket.failure)

    def _wait(self, ticket: _Ticket, deadline: float) -> None:
        """Until it is this one's turn to lead, or its record was sent; not beyond the deadline."""
        if ticket.turn.acquire(timeout=max(deadline - time.monotonic(), 0)):
            return
        with self._lock:
            if ticket in self._line:  # nobody will send it
                self._line.remove(ticket)
        if ticket.leads:  # its turn came in this moment
            self._pass_on()
            ticket.leads = False
        ticket.failure = ticket.failure or "its turn did not come in time"

    def _lead(self, ticket: _Ticket, deadline: float) -> None:
        with self._lock:
            others, self._line = self._line, []
        failure = "the thread that sent it was ended"
        try:
            self._send([ticket.record, *(other.record for other in others)], deadline)
            failure = ""
        except TransportError as error:
            failure = str(error)
            raise
        finally:
            for other in others:
                other.failure = failure
                other.turn.release()
            self._pass_on()

    def _pass_on(self) -> None:
        """The first of the line leads, if there is one."""
        with self._lock:
            if not self._line:
                self._is_led = False
                return
            following = self._line.pop(0)
            following.leads = True
            following.turn.release()

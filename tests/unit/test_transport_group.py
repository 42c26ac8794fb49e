"""What threads publish at the same time is sent together, and each of them is told what became of its own record."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from questlog.errors import TransportError
from questlog.events.wire import Record
from questlog.transport.group import Group
from waiting import eventually

SOON = 30.0  # seconds in which a thread gets on, on a machine on which everything else runs too
LONG = 3600.0


class Line:
    """A sender that holds each call until it is answered, and remembers what was in it."""

    def __init__(self) -> None:
        self.calls: list[list[bytes]] = []
        self.answers: list[Future[None]] = []
        self.group = Group(self._send)
        self._pool = ThreadPoolExecutor(64)

    def publish(self, name: str, *, within: float = LONG) -> Future[None]:
        return self._pool.submit(self.group.publish, Record(None, name.encode()), time.monotonic() + within)

    def led(self, name: str) -> Future[None]:
        """Publish as the leader: returns once its call is on its way."""
        before = len(self.calls)
        published = self.publish(name)
        eventually(lambda: len(self.calls) > before, deadline=SOON)
        return published

    def waiting(self, *names: str, within: float = LONG) -> list[Future[None]]:
        """Publish behind a leader, one after the other: returns once all stand in line."""
        published = []
        for name in names:
            length = len(self.group)
            published.append(self.publish(name, within=within))
            eventually(lambda length=length: len(self.group) > length, deadline=SOON)
        return published

    def answer(self, call: int, error: Exception | None = None) -> None:
        eventually(lambda: len(self.answers) > call, deadline=SOON)
        if error:
            self.answers[call].set_exception(error)
        else:
            self.answers[call].set_result(None)

    def _send(self, records: Sequence[Record], deadline: float) -> None:
        answer: Future[None] = Future()
        self.answers.append(answer)
        self.calls.append([record.value for record in records])
        answer.result(max(deadline - time.monotonic(), 0))


@pytest.fixture
def line() -> Line:
    return Line()


def test_a_thread_that_is_alone_waits_for_nobody(line: Line) -> None:
    published = line.led("a")
    assert not published.done()

    line.answer(0)

    published.result(SOON)
    assert line.calls == [[b"a"]]


def test_what_comes_while_one_is_on_its_way_goes_together_in_its_order(line: Line) -> None:
    first, others = line.led("a"), line.waiting("b", "c", "d")

    line.answer(0)
    first.result(SOON)
    line.answer(1)

    for other in others:
        other.result(SOON)
    assert line.calls == [[b"a"], [b"b", b"c", b"d"]]


def test_nobody_is_told_yes_before_its_own_call_is_answered(line: Line) -> None:
    first, others = line.led("a"), line.waiting("b", "c")

    line.answer(0)
    first.result(SOON)
    eventually(lambda: len(line.calls) == 2, deadline=SOON)

    assert not any(other.done() for other in others)
    line.answer(1)
    for other in others:
        other.result(SOON)


def test_a_failure_reaches_those_that_shared_the_call_and_no_others(line: Line) -> None:
    first, others = line.led("a"), line.waiting("b", "c")

    line.answer(0, TransportError("Kafka is away"))
    with pytest.raises(TransportError, match="Kafka is away"):
        first.result(SOON)
    line.answer(1)

    for other in others:
        other.result(SOON)


def test_all_that_shared_a_call_are_told_why_it_failed(line: Line) -> None:
    first, others = line.led("a"), line.waiting("b", "c")

    line.answer(0)
    first.result(SOON)
    line.answer(1, TransportError("no leader"))

    for other in others:
        with pytest.raises(TransportError, match="no leader"):
            other.result(SOON)


def test_an_error_that_nobody_expects_does_not_leave_the_line_waiting(line: Line) -> None:
    first, others = line.led("a"), line.waiting("b", "c")

    line.answer(0, MemoryError())
    with pytest.raises(MemoryError):
        first.result(SOON)
    line.answer(1, MemoryError())

    with pytest.raises(MemoryError):
        others[0].result(SOON)
    with pytest.raises(TransportError, match="was ended"):
        others[1].result(SOON)
    line.led("d")
    line.answer(2)
    assert line.calls[2] == [b"d"]


def test_whoever_waits_too_long_is_refused_and_its_record_is_not_sent(line: Line) -> None:
    first, (late,), (other,) = line.led("a"), line.waiting("b", within=0.05), line.waiting("c")

    with pytest.raises(TransportError, match="its turn did not come in time"):
        late.result(SOON)
    line.answer(0)
    first.result(SOON)
    line.answer(1)

    other.result(SOON)
    assert line.calls == [[b"a"], [b"c"]]


def test_many_threads_at_once_are_each_answered_and_each_record_is_sent_once() -> None:
    sent: list[bytes] = []
    lock = threading.Lock()

    def send(records: Sequence[Record], _deadline: float) -> None:
        with lock:
            sent.extend(record.value for record in records)

    group = Group(send)
    names = [str(number).encode() for number in range(2000)]
    with ThreadPoolExecutor(32) as pool:
        for published in [pool.submit(group.publish, Record(None, name), time.monotonic() + LONG) for name in names]:
            published.result(SOON)

    assert sorted(sent) == sorted(names)

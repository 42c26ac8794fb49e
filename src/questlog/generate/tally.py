"""What became of the events that were sent: counted by many threads, reported once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from questlog.generate.bench import BenchResult

Progress = Callable[[int, int], None]
"""Is called with the events done and all of them; 0 for all if nobody knows."""
MOST_REASONS = 3


@dataclass(frozen=True, kw_only=True)
class Sent:
    """The events sent: `sent` = `accepted` + `refused` + `stray`, by the statuses that ab was answered.

    `refusals_by_status` counts events, too. `requests` are those answered, `retried` those sent again after a 503 or
    no answer, `seconds` the whole duration. `reasons` quotes the API's first answers to good events that it refused.
    """

    sent: int
    accepted: int
    refused: int
    stray: int
    requests: int
    retried: int
    seconds: float
    refusals_by_status: dict[int, int]
    reasons: tuple[str, ...]
    interrupted: bool

    @property
    def events_per_second(self) -> float:
        """Events sent in a second, from start to end."""
        return self.sent / self.seconds


class Tally:
    """Counts; thread-safe."""

    def __init__(self, total: int, on_progress: Progress | None) -> None:
        self.interrupted = False
        self._total, self._on_progress = total, on_progress
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._accepted = self._stray = self._requests = self._retried = 0
        self._refused: Counter[int] = Counter()
        self._reasons: list[str] = []

    def answered(self, result: BenchResult, events: int, good: bool) -> None:
        """One request with so many events was answered; `good` if they were meant to be accepted."""
        with self._lock:
            self._requests += 1
            if result.accepted:
                self._accepted += events
            else:
                self._refused[result.status or 0] += events
                if good and len(self._reasons) < MOST_REASONS:
                    self._reasons.append(f"{result.status}: {result.answer}")
            self._report()

    def published(self, records: int) -> None:
        """So many stray records are in the topic."""
        with self._lock:
            self._stray += records
            self._report()

    def retried(self) -> None:
        """A request is sent once more."""
        with self._lock:
            self._retried += 1

    def sent(self) -> Sent:
        """What was counted until now."""
        with self._lock:
            return Sent(
                sent=self._done,
                accepted=self._accepted,
                refused=self._refused.total(),
                stray=self._stray,
                requests=self._requests,
                retried=self._retried,
                seconds=time.monotonic() - self._began,
                refusals_by_status=dict(sorted(self._refused.items())),
                reasons=tuple(self._reasons),
                interrupted=self.interrupted,
            )

    @property
    def _done(self) -> int:
        return self._accepted + self._refused.total() + self._stray

    def _report(self) -> None:
        if self._on_progress:
            self._on_progress(self._done, self._total)

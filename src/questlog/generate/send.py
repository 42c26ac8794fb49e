"""Send a simulated world through Apache Bench, and count what the API said.

ab sends one constant request a run, so every body, and every single event, is a run of its own. The runs go side by
side in lanes. A player's events all go through one lane, so they arrive in their order; events of different players
may overtake each other by a few bodies.
"""

from __future__ import annotations

import itertools
import operator
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from questlog.errors import GenerateError
from questlog.events.wire import Record
from questlog.generate import bench
from questlog.generate.address import batch_url, event_url, headers, ndjson
from questlog.generate.bad import BadRequest
from questlog.generate.lanes import Lanes
from questlog.generate.limits import check
from questlog.generate.load import MOST_PROCESSES
from questlog.generate.model import Event, Generated
from questlog.generate.stray import StrayRecord
from questlog.generate.tally import Progress, Sent, Tally
from questlog.settings import Settings

BATCH_SIZE = 50
PROCESSES = 4
RETRIES = 5
FIRST_WAIT = 0.2
"""Seconds before the first retry; each further one waits twice as long."""
TIMEOUT = 10
"""Seconds that a request waits for its answer before it counts as unanswered."""
BUSY = {429, 503}
"""Statuses that mean: later."""

Publish = Callable[[Sequence[Record]], None]


def send(
    settings: Settings,
    events: Iterable[Generated],
    *,
    publish: Publish,
    batch_size: int = BATCH_SIZE,
    processes: int = PROCESSES,
    on_progress: Progress | None = None,
) -> Sent:
    """Send good events to the API as NDJSON bodies of `batch_size`, or for 1 each to its own endpoint.

    Bad requests go to their endpoint one by one, stray records through `publish`, `batch_size` at a time. A status of
    `BUSY`, or no answer, is tried again up to `RETRIES` times with the same event ids: what was written all the same is
    then in the topic twice, with one id. On Ctrl-C the requests under way end, and the result says so.

    Raises:
        SettingsError: `batch_size` or `processes` is out of its limits.
        GenerateError: ab is missing, or the API does not answer, also after the retries.
        TransportError: from `publish`.
    """
    check("batch_size", batch_size, 1, settings.max_batch_events)
    check("processes", processes, 1, MOST_PROCESSES)
    bench.require(settings.api_url)
    tally = Tally(operator.length_hint(events), on_progress)
    with TemporaryDirectory(prefix="questlog-send-") as folder, Lanes(processes) as lanes:
        requests = _Requests(settings, Path(folder), tally)
        try:
            _distribute(events, requests, lanes, batch_size, publish)
            lanes.finish()
        except KeyboardInterrupt:
            tally.interrupted = True
    return tally.sent()


def _distribute(
    events: Iterable[Generated], requests: _Requests, lanes: Lanes, batch_size: int, publish: Publish
) -> None:
    waiting: list[list[Event]] = [[] for _ in range(lanes.count)]
    strays = _Strays(publish, batch_size, requests.tally)
    for event in events:
        if isinstance(event, StrayRecord):
            strays.add(event.record)
        elif isinstance(event, BadRequest):
            lanes.submit(lanes.of(event.user_id), partial(requests.bad, event))
        else:
            lane = lanes.of(str(event["user_id"]))
            waiting[lane].append(event)
            if len(waiting[lane]) == batch_size:
                lanes.submit(lane, partial(requests.good, waiting[lane]))
                waiting[lane] = []
    for lane, left in enumerate(waiting):
        if left:
            lanes.submit(lane, partial(requests.good, left))
    strays.flush()


class _Strays:
    """Stray records on their way to the topic, `batch_size` at a time."""

    def __init__(self, publish: Publish, batch_size: int, tally: Tally) -> None:
        self._publish, self._batch_size, self._tally = publish, batch_size, tally
        self._waiting: list[Record] = []

    def add(self, record: Record) -> None:
        self._waiting.append(record)
        if len(self._waiting) == self._batch_size:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            self._publish(self._waiting)
            self._tally.published(len(self._waiting))
            self._waiting = []


class _Requests:
    """Makes the requests; each method is a job of a lane."""

    def __init__(self, settings: Settings, folder: Path, tally: Tally) -> None:
        self.settings, self.folder, self.tally = settings, folder, tally
        self._numbers = itertools.count()

    def good(self, events: Sequence[Event]) -> None:
        if len(events) == 1:
            (event,) = events
            self._request(event_url(self.settings, str(event["event_type"]), event), 1, good=True)
            return
        body = self.folder / f"{next(self._numbers)}.ndjson"
        body.write_bytes(ndjson(events))
        self._request(batch_url(self.settings), len(events), body, good=True)
        body.unlink()

    def bad(self, request: BadRequest) -> None:
        self._request(event_url(self.settings, request.event_type, request.parameters), 1, good=False)

    def _request(self, url: str, events: int, body: Path | None = None, *, good: bool) -> None:
        for attempt in range(RETRIES + 1):
            last = attempt == RETRIES or self.tally.interrupted
            try:
                result = bench.run(url, body=body, headers=headers(self.settings), timeout=TIMEOUT, show=True)
                if result.status not in BUSY or last:
                    self.tally.answered(result, events, good)
                    return
            except GenerateError:
                if last:
                    raise
            self.tally.retried()
            time.sleep(FIRST_WAIT * 2**attempt)

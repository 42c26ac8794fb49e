"""Load: one kind of request, as fast as Apache Bench sends it."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from questlog.events.catalogue import CATALOGUE, DEFAULT_TYPE, Catalogue
from questlog.events.fields import EventType, Value
from questlog.generate import bench
from questlog.generate.address import batch_url, event_url, headers, ndjson
from questlog.generate.limits import check
from questlog.settings import Settings

MOST_PROCESSES = 64
MOST_REQUESTS = 1_000_000_000
MOST_CONCURRENCY = 20_000
"""What ab itself allows."""


def load(
    settings: Settings,
    *,
    event_type: str = DEFAULT_TYPE,
    requests: int = 10_000,
    concurrency: int = 16,
    keep_alive: bool = True,
    processes: int = 1,
    batch_size: int = 1,
    catalogue: Catalogue = CATALOGUE,
) -> list[bench.BenchResult]:
    """Send `requests` requests of one type by `processes` runs of ab side by side; one result for each run.

    The parameters are the catalogue's examples. There is no ``event_id``, which would be the same in every request:
    the API chooses it. Each run is a player of its own. With a `batch_size` above 1 a request is an NDJSON body of so
    many events. ab waits for an answer before it sends again on a connection (a closed loop), so its latencies are
    those of a server under `concurrency` * `processes` requests at a time, not under a rate.

    Raises:
        SettingsError: a number is out of its limits, or the type is not in the catalogue.
        GenerateError: ab is missing, or the API does not answer.
    """
    (name,) = catalogue.select([event_type])
    check("batch_size", batch_size, 1, settings.max_batch_events)
    check("processes", processes, 1, MOST_PROCESSES)
    check("requests", requests, processes, MOST_REQUESTS)
    check("concurrency", concurrency, 1, MOST_CONCURRENCY)
    with tempfile.TemporaryDirectory(prefix="questlog-load-") as folder, ThreadPoolExecutor(processes) as pool:
        runs = []
        for number in range(processes):
            share = requests // processes + (number < requests % processes)
            url, body = _request(settings, catalogue[name], batch_size, number, Path(folder))
            one = partial(bench.run, url, requests=share, concurrency=min(concurrency, share))
            runs.append(pool.submit(one, keep_alive=keep_alive, body=body, headers=headers(settings)))
        return [each.result() for each in runs]


def _request(
    settings: Settings, event_type: EventType, batch_size: int, number: int, folder: Path
) -> tuple[str, Path | None]:
    event: dict[str, Value] = {"user_id": f"ab-{number + 1}"}
    event |= {field.name: field.example for field in event_type.fields}
    if batch_size == 1:
        return event_url(settings, event_type.name, event), None
    body = folder / f"{number}.ndjson"
    body.write_bytes(ndjson([{"event_type": event_type.name, **event}] * batch_size))
    return batch_url(settings), body

"""The API's benchmark: ours beside the reference, in turns, on the same Kafka. README.md says how to read it."""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import click
from kafka import KafkaProducer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks import rows, sides, stage
from benchmarks.sides import JSON, Reading, Side
from questlog.api import server
from questlog.errors import QuestlogError
from questlog.events import CATALOGUE
from questlog.events.validation import parse
from questlog.events.wire import Record, encode
from questlog.generate.address import batch_url, ndjson
from questlog.generate.bench import NDJSON
from questlog.settings import Settings
from questlog.transport.producer import Publisher

CONCURRENCY, THREADS = 32, 64
BATCH, BATCHES_AT_A_TIME = 100, 8  # more would only wait in line
BULK = 1000  # records of one call
PAGE = "purchase_sword"
FIELDS: dict[str, str | int] = {"item": "iron", "price": 120}


@click.command(context_settings={"show_default": True})
@click.option("--rounds", default=5, type=click.IntRange(1, 100), help="In each, every side has one turn.")
@click.option("--requests", default=4000, type=click.IntRange(100, 1_000_000), help="Of one turn of a server.")
@click.option("--seconds", default=2.0, type=click.FloatRange(0.1, 60), help="Of one turn of a producer.")
def main(rounds: int, requests: int, seconds: float) -> None:
    """Measure the API and its producer beside the usual way, and print a table.

    Starts a Kafka, the API and both references on ports and in a folder of their own, and removes them. It reports:
    the exit code is 0 also where a goal is not reached, and 1 only when it could not run.
    """
    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        with _all_sides(requests, seconds) as known:
            readings = _measure(known, rounds, console)
    except QuestlogError as error:
        raise click.ClickException(str(error)) from error
    console.print(rows.table(readings))
    console.print(f"{rounds} rounds, {os.cpu_count()} processors, load of the last minute {os.getloadavg()[0]:.1f}")


def _measure(known: dict[str, Side], rounds: int, console: Console) -> rows.Readings:
    readings: dict[str, list[Reading]] = defaultdict(list)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=(rounds + 1) * len(known))
        for number in range(rounds + 1):
            for name, measure in known.items():
                progress.update(task, description=f"{f'round {number}' if number else 'warming up'}: {name}")
                reading = measure()
                if number:  # the first is for compilers and caches
                    readings[name].append(reading)
                progress.advance(task)
    return readings


@contextmanager
def _all_sides(requests: int, seconds: float) -> Iterator[dict[str, Side]]:
    with ExitStack() as stack:
        settings = stack.enter_context(stage.kafka_alone())
        stack.enter_context(server.running(settings))
        yield {**_servers(settings, stack, requests), **_producers(settings, stack, seconds)}


def _servers(settings: Settings, stack: ExitStack, requests: int) -> dict[str, Side]:
    one, many = settings.data_dir / "one.json", settings.data_dir / "many.ndjson"
    one.write_text(json.dumps(_fields(0)))
    many.write_bytes(ndjson({"event_type": PAGE, **_fields(number)} for number in range(BATCH)))

    def single(origin: str) -> Side:
        return sides.http(f"{origin}/{PAGE}", one, JSON, requests=requests, concurrency=CONCURRENCY)

    send, flush = (stack.enter_context(stage.reference(settings, *options)) for options in ((), ("--flush",)))
    some = max(requests // 10, BATCHES_AT_A_TIME)
    batches = sides.http(batch_url(settings), many, NDJSON, requests=some, concurrency=BATCHES_AT_A_TIME, events=BATCH)
    ours = {rows.SINGLE: single(settings.api_url), rows.MANY: batches}
    return {**ours, rows.SEND: single(send), rows.FLUSH: single(flush)}


def _producers(settings: Settings, stack: ExitStack, seconds: float) -> dict[str, Side]:
    publisher = Publisher(settings)
    stack.callback(publisher.close)
    usual = stack.enter_context(KafkaProducer(bootstrap_servers=settings.kafka_bootstrap))
    records = [_record(number) for number in range(BULK)]
    return {
        rows.THREADS: sides.publishing(publisher, records[:1], threads=THREADS, seconds=seconds),
        rows.EACH: sides.flushing(usual, stage.beside(settings).topic, records[0], seconds=seconds),
        rows.BULK: sides.publishing(publisher, records, threads=1, seconds=seconds),
    }


def _record(number: int) -> Record:
    return encode(parse(CATALOGUE[PAGE], _fields(number), {}, datetime.now(UTC)))


def _fields(number: int) -> dict[str, str | int]:
    return {"user_id": f"player-{number}", **FIELDS}


if __name__ == "__main__":
    main()

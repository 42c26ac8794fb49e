"""The stream's benchmark of a backlog: from Kafka to queryable parquet, ours beside a plain consumer, in turns."""

from __future__ import annotations

import functools
import os
import statistics
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click
from kafka import KafkaProducer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import plain, stage
from questlog import pipeline
from questlog.catalog import partitions, tables
from questlog.errors import LedgerError, QuestlogError
from questlog.events import CATALOGUE
from questlog.events.validation import parse
from questlog.events.wire import Record, encode
from questlog.settings import Settings
from questlog.transport import topics

DAYS = 2
KINDS = 3
GOAL = 3.0
FLUSHED = 10_000

Drain = Callable[[Settings], float]


@click.command(context_settings={"show_default": True})
@click.option("--rounds", default=3, type=click.IntRange(1, 100), help="In each, either side has one turn.")
@click.option("--events", default=1_000_000, type=click.IntRange(1_000, 50_000_000), help="In the topic.")
@click.option("--given", is_flag=True, help="Use the stack that runs already, and leave it running.")
def main(rounds: int, events: int, given: bool) -> None:
    """Measure how fast a backlog is landed, and print a table.

    Starts a stack of its own and fills a topic, once. A turn begins with empty tables and ends when Presto counts every
    event. It reports: the exit code is 0 also where a goal is not reached, and 1 only when it could not run.
    """
    console = Console(width=None if sys.stdout.isatty() else 160)
    sides: dict[str, Drain] = {"ours": _ours, "plain consumer": _plain}
    readings: dict[str, list[float]] = defaultdict(list)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    try:
        with stage.everything(given=given) as settings, Progress(*columns, console=console) as progress:
            here = settings.in_namespace(f"bench_drain_{uuid.uuid4().hex[:6]}")
            _fill(here, events, progress)
            task = progress.add_task("", total=(rounds + 1) * len(sides))
            for number in range(rounds + 1):
                for name, drain in sides.items():
                    progress.update(task, description=f"{f'round {number}' if number else 'warming up'}: {name}")
                    rate = events / _turn(here, drain, events)
                    if number:  # the first is for compilers and caches
                        readings[name].append(rate)
                    progress.advance(task)
            pipeline.reset(here)
    except QuestlogError as error:
        raise click.ClickException(str(error)) from error
    console.print(_table(readings))
    console.print(f"{events:,} events, {rounds} rounds, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")


def _turn(settings: Settings, drain: Drain, events: int) -> float:
    """Seconds until Presto counts every event; begins with empty tables, and with the topic as it is."""
    tables.drop(settings)
    pipeline.create(settings)
    took = drain(settings)
    (count,) = pipeline.sql(settings, "SELECT count(*) AS n FROM events")["n"]
    if count != events:
        raise LedgerError(f"{events:,} events are in the topic, Presto counts {count:,}")
    return took


def _ours(settings: Settings) -> float:
    return pipeline.stream(settings).seconds


def _plain(settings: Settings) -> float:
    began = time.perf_counter()
    plain.land(settings)
    partitions.announce(settings)
    return time.perf_counter() - began


def _fill(settings: Settings, events: int, progress: Progress) -> None:
    """Events of some types on some days, each a record of its own, with an id of its own."""
    topics.create_topic(settings)
    task = progress.add_task("filling the topic", total=events)
    with KafkaProducer(bootstrap_servers=settings.kafka_bootstrap, linger_ms=20, batch_size=1 << 18) as producer:
        for number in range(events):
            record = _record(number)
            producer.send(settings.topic, record.value, record.key, list(record.headers))
            if number % FLUSHED == 0:
                producer.flush()
                progress.update(task, completed=number)
    progress.update(task, completed=events)


@functools.cache
def _template(number: int) -> Record:
    kind = CATALOGUE.types[number % KINDS]
    day = (datetime(2026, 1, 5, 12, tzinfo=UTC) + timedelta(days=number % DAYS)).isoformat()
    given = {field.name: field.example for field in kind.fields}
    fields = {**given, "event_id": ID, "event_time": day, "user_id": f"player-{number}"}
    return encode(parse(kind, fields, {}, datetime.now(UTC)))


ID = "event-000000000"
PLAYERS = 600


def _record(number: int) -> Record:
    made = _template(number % PLAYERS)
    value = made.value.replace(ID.encode(), f"event-{number:09}".encode())
    return Record(made.key, value, made.headers)


def _table(readings: dict[str, list[float]]) -> Table:
    table = Table("landing", "events/s", "worst", title="from Kafka to rows that Presto counts")
    for name, rates in readings.items():
        table.add_row(name, f"{statistics.median(rates):,.0f}", f"{min(rates):,.0f}")
    ours, theirs = (statistics.median(rates) for rates in readings.values())
    verdict = "reached" if ours / theirs >= GOAL else "not reached"
    table.caption = f"ours is {ours / theirs:.1f} times as fast; goal {GOAL:g}: {verdict}"
    return table


if __name__ == "__main__":
    main()

"""The benchmark of queries: an analyst's questions to Presto, beside DuckDB on the same files, in turns."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks import checkout, landing, questions
from benchmarks.checkout import Checkout
from benchmarks.duck import Duck
from benchmarks.landing import DATA_SETS, DataSet
from benchmarks.questions import COUNT, Row
from questlog.errors import QuestlogError

OURS, BEFORE, DUCK = "Presto", "before", "DuckDB"
LONGEST = 60.0
"""Seconds after which a question has had its time: no more repetitions begin."""

Ask = Callable[[str], tuple[float, list[Row]]]
Readings = dict[str, dict[str, list[float]]]
"""For each question and side, the seconds of each repetition."""


class WrongAnswer(QuestlogError):
    """Two sides gave different answers to the same question, or a count is not what was sent."""


@click.command(context_settings={"show_default": True})
@click.option("--repetitions", default=7, type=click.IntRange(1, 100), help="Of each query, after a warm-up.")
@click.option("--data", "name", type=click.Choice([data.name for data in DATA_SETS]), help="One data set, not both.")
@click.option(
    "--before", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Checkout of a former version."
)
def main(*, repetitions: int, name: str | None, before: Path | None) -> None:
    """Measure ten queries over two data sets, beside DuckDB on the same files, and print a table for each.

    Starts a stack of its own, lands 20,000 events of 28 days and 110,000 of 546, and removes it again. With --before, a
    second stack runs the version of that folder (which needs its .venv), and has its turns in the same run. Of a query
    no more repetitions begin after a minute. It reports: the exit code is 1 only when it could not run, or when sides
    gave different answers.
    """
    console = Console(width=None if sys.stdout.isatty() else 160)
    try:
        pythons = {OURS: Path(sys.executable), **({BEFORE: checkout.python_of(before)} if before else {})}
        with ExitStack() as stack:
            sides = {side: stack.enter_context(checkout.running(python)) for side, python in pythons.items()}
            for data in (each for each in DATA_SETS if name in (None, each.name)):
                console.print(_measured(sides, data, repetitions, console))
    except QuestlogError as error:
        raise click.ClickException(str(error)) from error
    console.print(f"up to {repetitions} repetitions, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")


def _measured(sides: Mapping[str, Checkout], data: DataSet, repetitions: int, console: Console) -> Table:
    for name, side in sides.items():
        began = time.monotonic()
        side.call(landing.land, data)
        console.print(f"{data.name}, {name}: landed and compacted in {time.monotonic() - began:.0f} s")
    with _duck(sides[OURS], data) as (duck, files):
        asks: dict[str, Ask] = {
            **{name: _presto(side, data) for name, side in sides.items()},
            DUCK: duck.ask,
        }
        check_count(asks, data.events)
        about = questions.filled(duck.value(questions.DAY), duck.value(questions.PLAYER))
        title = f"{data.name}, {data.events:,} events, {files:,} files"
        return table(measure(asks, about, repetitions), title)


def _presto(side: Checkout, data: DataSet) -> Ask:
    return lambda question: side.call(landing.ask, data, question)


@contextmanager
def _duck(side: Checkout, data: DataSet) -> Iterator[tuple[Duck, int]]:
    with tempfile.TemporaryDirectory(prefix="questlog-bench-") as folder:
        files = side.call(landing.copy, data, Path(folder))
        yield Duck(Path(folder)), files


def check_count(asks: Mapping[str, Ask], events: int) -> None:
    """Raises `WrongAnswer` unless every side counts the events that were sent."""
    for name, ask in asks.items():
        ((count,),) = ask(COUNT)[1]
        if count != events:
            raise WrongAnswer(f"{events:,} events were sent, {name} counts {count:,}")


def measure(asks: Mapping[str, Ask], about: Mapping[str, str], repetitions: int) -> Readings:
    """Ask each question so many times, the sides in turns, after a warm-up that is not counted.

    Raises:
        WrongAnswer: two sides disagree.
    """
    readings: Readings = {}
    for name, question in about.items():
        readings[name] = {side: [] for side in asks}
        began = time.monotonic()
        for number in range(repetitions + 1):
            if number > 1 and time.monotonic() - began > LONGEST:
                break
            for side, seconds in _turn(asks, name, question).items():
                if number:
                    readings[name][side].append(seconds)
    return readings


def _turn(asks: Mapping[str, Ask], name: str, question: str) -> dict[str, float]:
    answers = {side: ask(question) for side, ask in asks.items()}
    (first, (_, expected)), *others = answers.items()
    for side, (_, rows) in others:
        if rows != expected:
            raise WrongAnswer(f"{name}: {first} and {side} give different answers{_difference(expected, rows)}")
    return {side: seconds for side, (seconds, _) in answers.items()}


def _difference(expected: list[Row], rows: list[Row]) -> str:
    if len(expected) != len(rows):
        return f": {len(expected):,} and {len(rows):,} rows"
    return next(f": {one!r} and {other!r}" for one, other in zip(expected, rows, strict=True) if one != other)


def table(readings: Readings, title: str) -> Table:
    """Medians of the repetitions, in seconds, and how many times ours takes what each other side takes."""
    others = [side for side in next(iter(readings.values())) if side != OURS]
    headings = (f"{side} p50 (s)" for side in (OURS, *others))
    shown = Table("query", *headings, *(f"{OURS} / {side}" for side in others), title=title)
    for name, taken in readings.items():
        medians = {side: statistics.median(seconds) for side, seconds in taken.items()}
        ratios = (f"{medians[OURS] / medians[side]:.2f}" for side in others)
        shown.add_row(name, *(f"{medians[side]:.3f}" for side in (OURS, *others)), *ratios)
    return shown


if __name__ == "__main__":
    main()

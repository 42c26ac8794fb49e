"""The stream's benchmark of freshness: from the API's 2xx to the row, ours beside the simplest landing, in turns."""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import checkout, stage
from benchmarks.commands import questlog
from benchmarks.watching import PATIENCE, Seen, watch
from questlog.api import server
from questlog.errors import QuestlogError
from questlog.settings import Settings

OURS = ("-m", "questlog", "stream", "--trigger", "0.5")
UNSUPERVISED = "--unsupervised"
"""Option of the former version."""
"""A pause now and then leaves the processors to the queries; as fast as possible would make more and smaller files."""
SIMPLEST = ("-m", "benchmarks.simplest")
UPKEEP = {"compact_minutes": 0.25, "compact_grace": 60}
"""Of ours: a table that is asked all the time has its small files merged often; no query takes the minute of grace."""
WARM_UP = 60.0
"""Seconds of each side's first turn that are not counted: its JVM compiles, and the first files are merged."""
MINUTE = 60.0
ACK_TIMEOUT = 20.0
"""Seconds that the API waits for Kafka: a busy machine may take some."""
GOALS = {"median": 1.0, "99th percentile": 2.0}
"""Seconds, of ours."""


@dataclass(frozen=True)
class Landing:
    """One way of landing: how its process is started, and the interpreter of the checkout that it belongs to."""

    name: str
    arguments: Sequence[str]
    python: str = sys.executable


LANDINGS = (Landing("ours", OURS), Landing("simplest", SIMPLEST))


@dataclass
class Side:
    """One way of landing, with a pipeline of its own; held still while the other has its turn."""

    name: str
    settings: Settings
    url: str
    process: psutil.Popen
    seen: Seen = field(default_factory=Seen)
    watched: float = 0.0

    def turn(self, rate: float, seconds: float) -> None:
        """Run for so many seconds and until all is seen."""
        with self._awake():
            self.watch(rate, seconds)

    def watch(self, rate: float, seconds: float) -> None:
        """The same, whatever else runs."""
        watch(self.settings, self.url, self.seen, rate=rate, seconds=seconds, before=self.watched)
        self.watched += seconds

    @contextmanager
    def _awake(self) -> Iterator[None]:
        self._tell(psutil.Process.resume)
        try:
            yield
        finally:
            self.hold_still()

    def hold_still(self) -> None:
        """Until its next turn: not for a minute, after which Kafka's client gives up what it had begun."""
        self._tell(psutil.Process.suspend)

    def _tell(self, what: Callable[[psutil.Process], None]) -> None:
        """All processes that there are now: Spark's driver comes later, and its launcher goes again."""
        for process in (self.process, *self.process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                what(process)


class Missing(QuestlogError):
    """An acknowledged event is not in the table."""


@click.command(context_settings={"show_default": True})
@click.option("--seconds", default=120.0, type=click.FloatRange(20, 7200), help="For which each side gets events.")
@click.option("--rounds", default=4, type=click.IntRange(1, 100), help="Turns into which these seconds are cut.")
@click.option("--rate", default=50.0, type=click.FloatRange(1, 1000), help="Events a second.")
@click.option("--alone", is_flag=True, help="Ours alone, in one turn: for the run of an hour.")
@click.option("--given", is_flag=True, help="Use the stack that runs already, and leave it running.")
@click.option(
    "--before", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Checkout of a former version."
)
def main(*, seconds: float, rounds: int, rate: float, alone: bool, given: bool, before: Path | None) -> None:
    """Measure how long an accepted event takes until a query sees it, and print a table.

    Starts a stack of its own, with our stream and the simplest landing on it. With --before, API and stream of the
    version in that folder (which needs its .venv) have their turns on the same stack. It reports: the exit code is 0
    also where a goal is not reached, and 1 only when it could not run, or when accepted events are missing in the end.
    """
    console = Console(width=None if sys.stdout.isatty() else 160)
    landings, rounds = (LANDINGS[:1], 1) if alone else (LANDINGS, rounds)
    try:
        if before:
            landings = (*landings, Landing("before", (*OURS, UNSUPERVISED), str(checkout.python_of(before))))
        with ExitStack() as stack:
            settings = stack.enter_context(stage.everything(given=given))
            sides = [stack.enter_context(_side(settings, each)) for each in landings]
            _measure(sides, rounds, rate, seconds, console)
        console.print(table(sides))
        check_none_missing(sides)
    except QuestlogError as error:
        raise click.ClickException(str(error)) from error
    load = os.getloadavg()[0]
    console.print(
        f"{rate:g} events/s, {rounds} rounds, {os.cpu_count()} processors, load of the last minute {load:.1f}"
    )


def _measure(sides: Sequence[Side], rounds: int, rate: float, seconds: float, console: Console) -> None:
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=(rounds + 1) * len(sides))
        for side in sides:  # none is held still: a side that only starts would keep the others waiting for too long
            progress.update(task, description=f"warming up: {side.name}")
            side.watch(rate, WARM_UP)
            progress.advance(task)
        for side in sides:
            side.hold_still()
        for number in range(1, rounds + 1):
            for side in sides:
                progress.update(task, description=f"round {number}: {side.name}")
                side.turn(rate, seconds / rounds)
                progress.advance(task)


@contextmanager
def _side(settings: Settings, landing: Landing) -> Iterator[Side]:
    port = server.free_port()
    own = {"api_port": port, "api_url": f"http://{settings.host}:{port}", "ack_timeout": ACK_TIMEOUT, **UPKEEP}
    here = settings.in_namespace(f"bench_{landing.name}_{uuid.uuid4().hex[:6]}", **own)
    questlog(here, "catalog", python=landing.python)
    try:
        api = [landing.python, "-m", "questlog", "api"]
        with stage.serving(here, api, port), _streaming(here, landing) as process:
            yield Side(landing.name, here, here.api_url, process)
    finally:
        questlog(here, "reset", "--yes", python=landing.python)


@contextmanager
def _streaming(settings: Settings, landing: Landing) -> Iterator[psutil.Popen]:
    command = [landing.python, *landing.arguments]
    with (settings.logs_dir / f"{settings.namespace}.log").open("wb") as log:
        process = psutil.Popen(command, env=settings.environment(), stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            for each in (*process.children(recursive=True), process):
                each.kill()
            process.wait()


def check_none_missing(sides: Sequence[Side]) -> None:
    """Raises `Missing` if an event was acknowledged and is neither seen nor in the table."""
    for side in sides:
        if missing := side.seen.not_found():
            raise Missing(
                f"{side.name}: {len(missing):,} of {len(side.seen.acknowledged):,} events that the API acknowledged "
                f"are not in the table {PATIENCE:g} s after the last one, for example {missing[0]}"
            )


def table(sides: Sequence[Side]) -> Table:
    """Each side's figures, of events acknowledged after the warm-up, and how many of all were late or are missing."""
    figures = ("median", "99th percentile", "longest", "first minute", "last minute")
    headings = ("landing", "events", *figures, "late in warm-up", "late", "missing", "")
    shown = Table(*headings, title="seconds from the API's 2xx to the row in Presto's answer")
    for side in sides:
        waits = sorted(side.seen.waits(begin=WARM_UP))
        first = side.seen.waits(WARM_UP, WARM_UP + MINUTE)
        last = side.seen.waits(side.watched - MINUTE)
        took = [_median(waits), _high(waits), waits[-1] if waits else math.nan, _median(first), _median(last)]
        late = (side.seen.late_ones(0, WARM_UP), side.seen.late_ones(WARM_UP), len(side.seen.not_found()))
        cells = [f"{figure:.2f}" for figure in took] + [f"{count:,}" for count in late]
        shown.add_row(side.name, f"{len(waits):,}", *cells, _verdict(side, took))
    return shown


def _median(waits: Sequence[float]) -> float:
    return statistics.median(waits) if waits else math.nan


def _high(waits: Sequence[float]) -> float:
    return waits[min(len(waits) * 99 // 100, len(waits) - 1)] if waits else math.nan


def _verdict(side: Side, figures: Sequence[float]) -> str:
    if side.seen.failures:
        return f"{len(side.seen.failures)} queries failed"
    if side.name != "ours":
        return ""
    goals = zip(GOALS.items(), figures, strict=False)
    return ", ".join(f"{name} {'below' if took < goal else 'not below'} {goal:g}" for (name, goal), took in goals)


if __name__ == "__main__":
    main()

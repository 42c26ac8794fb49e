"""The stream's benchmark of freshness: from the API's 2xx to the row, ours beside the simplest landing, in turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import click
import psutil
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import stage
from benchmarks.watching import Seen, watch
from questlog import pipeline
from questlog.errors import QuestlogError
from questlog.settings import Settings

OURS = ("-m", "questlog", "stream", "--trigger", "0.5", "--unsupervised")
"""A pause now and then leaves the processors to the queries; as fast as possible would make more and smaller files."""
SIMPLEST = ("-m", "benchmarks.simplest")
LANDINGS = (("ours", OURS), ("simplest", SIMPLEST))
UPKEEP = {"compact_minutes": 0.25, "compact_grace": 60}
"""Of ours: a table that is asked all the time has its small files merged often; no query takes the minute of grace."""
WARM_UP = 60.0
"""Seconds of each side's first turn that are not counted: its JVM compiles, and the first files are merged."""
MINUTE = 60.0
GOALS = {"median": 1.0, "99th percentile": 2.0}
"""Seconds, of ours."""


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


@click.command(context_settings={"show_default": True})
@click.option("--seconds", default=120.0, type=click.FloatRange(20, 7200), help="For which each side gets events.")
@click.option("--rounds", default=4, type=click.IntRange(1, 100), help="Turns into which these seconds are cut.")
@click.option("--rate", default=50.0, type=click.FloatRange(1, 1000), help="Events a second.")
@click.option("--alone", is_flag=True, help="Ours alone, in one turn: for the run of an hour.")
@click.option("--given", is_flag=True, help="Use the stack that runs already, and leave it running.")
def main(seconds: float, rounds: int, rate: float, alone: bool, given: bool) -> None:
    """Measure how long an accepted event takes until a query sees it, and print a table.

    Starts a stack of its own, with our stream and the simplest landing on it. It reports: the exit code is 0 also where
    a goal is not reached, and 1 only when it could not run.
    """
    console = Console(width=None if sys.stdout.isatty() else 160)
    landings, rounds = (LANDINGS[:1], 1) if alone else (LANDINGS, rounds)
    try:
        with ExitStack() as stack:
            settings = stack.enter_context(stage.everything(given=given))
            sides = [stack.enter_context(_side(settings, *each)) for each in landings]
            _measure(sides, rounds, rate, seconds, console)
            console.print(_table(sides))
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
def _side(settings: Settings, name: str, arguments: Sequence[str]) -> Iterator[Side]:
    here = settings.in_namespace(f"bench_{name}_{uuid.uuid4().hex[:6]}", **UPKEEP)
    pipeline.create(here)
    log = (here.logs_dir / f"{here.namespace}.log").open("wb")
    with pipeline.api(here) as serving, log:
        process = psutil.Popen(
            [sys.executable, *arguments], env=here.environment(), stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield Side(name, here, serving.api_url, process)
        finally:
            for each in (*process.children(recursive=True), process):
                each.kill()
            process.wait()
            pipeline.reset(here)


def _table(sides: Sequence[Side]) -> Table:
    figures = ("median", "99th percentile", "longest", "first minute", "last minute")
    headings = ("landing", "events", *figures, "not seen", "")
    table = Table(*headings, title="seconds from the API's 2xx to the row in Presto's answer")
    for side in sides:
        waits = sorted(side.seen.waits(begin=WARM_UP))
        first = side.seen.waits(WARM_UP, WARM_UP + MINUTE)
        last = side.seen.waits(side.watched - MINUTE)
        took = [statistics.median(waits), _high(waits), waits[-1], statistics.median(first), statistics.median(last)]
        shown = [f"{figure:.2f}" for figure in took]
        table.add_row(side.name, f"{len(waits):,}", *shown, str(side.seen.missing), _verdict(side, took))
    return table


def _high(waits: Sequence[float]) -> float:
    return waits[min(len(waits) * 99 // 100, len(waits) - 1)]


def _verdict(side: Side, figures: Sequence[float]) -> str:
    if side.seen.failures:
        return f"{len(side.seen.failures)} queries failed"
    if side.name != "ours":
        return ""
    goals = zip(GOALS.items(), figures, strict=False)
    return ", ".join(f"{name} {'below' if took < goal else 'not below'} {goal:g}" for (name, goal), took in goals)


if __name__ == "__main__":
    main()

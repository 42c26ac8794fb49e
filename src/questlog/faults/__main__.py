"""The command of ``scripts/faults``: brings faults about, prints a table, exits with 1 if a promise was broken."""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from questlog.errors import QuestlogError
from questlog.faults import outcomes, trial
from questlog.faults.client import RATE
from questlog.faults.matrix import FAULTS, Fault, named
from questlog.faults.trial import Outcome
from questlog.settings import Settings
from questlog.stack import local

LONG_RUNS, LONG_EVENTS, LONG_MIX = 20, 5000, 600.0
MIX = "several"
LISTED = "\n".join(f"{fault.name}: {fault.does}; back within {fault.bound:g} s" for fault in FAULTS)
console = Console(width=None if sys.stdout.isatty() else 160)


@dataclass(frozen=True)
class Load:
    """What a run does: each fault so many `runs`, with so many `events`, `rate` of them a second."""

    seed: int
    runs: int
    events: int
    rate: float


@click.command(context_settings={"show_default": True}, epilog=f"\b\nThe faults:\n{LISTED}")
@click.option("--only", multiple=True, metavar="NAME", help="This fault alone; may be given again. All unless given.")
@click.option(
    "--seed", type=int, help="Repeats a run: the same order, moments and events. Drawn, and printed, if not given."
)
@click.option("--runs", type=click.IntRange(1), help=f"How often each fault happens: once, or {LONG_RUNS} times.")
@click.option(
    "--events",
    type=click.IntRange(10),
    help=f"Acknowledged events in each trial, at least: {trial.EVENTS}, or {LONG_EVENTS:,}.",
)
@click.option("--rate", type=click.FloatRange(1), default=RATE, help="Events a second that are sent.")
@click.option(
    "--long",
    "is_long",
    is_flag=True,
    help=f"The larger numbers, and 10 minutes of {MIX} unless --only leaves it out.",
)
@click.option(
    "--given-stack", is_flag=True, help="Use the stack of `questlog up`, instead of one that is made and removed."
)
def main(
    *,
    only: Sequence[str],
    seed: int | None,
    runs: int | None,
    events: int | None,
    rate: float,
    is_long: bool,
    given_stack: bool,
) -> None:
    """Kill, stop and starve servers and the stream while clients send, and check that every promise is kept.

    A client keeps its own record of what was acknowledged, and a witness asks Presto twice a second. A table shows, for
    each fault, the seconds until service was there again against their bound, and how many promises were broken.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended either way, it leaves everything as it was
    chosen = named(only)
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    most_runs, most_events = (LONG_RUNS, LONG_EVENTS) if is_long else (1, trial.EVENTS)
    load = Load(seed, runs or most_runs, events or most_events, rate)
    console.print(f"seed {seed}: `scripts/faults --seed {seed}` repeats this run", highlight=False)
    done: list[Outcome] = []
    with _stack(given_stack) as stack:
        try:
            _rounds(done, stack, chosen, load)
            if is_long and set(named([MIX])) <= set(chosen):
                _mixed(done, stack, load)
        except trial.Interrupted as interrupted:
            done += interrupted.outcomes
    _show(done)
    if outcomes.violations(done):
        sys.exit(1)


@contextmanager
def _stack(is_given: bool) -> Iterator[Settings]:
    """A stack of its own, so that nobody's servers are killed: the settings' ports, a data folder that is removed."""
    settings = Settings.load()
    if is_given:
        local.up(settings)
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="questlog-faults-") as folder:
        own = Settings.load(data_dir=Path(folder) / "data")
        with local.running(own, wipe=True):
            yield own


def _rounds(done: list[Outcome], stack: Settings, faults: Sequence[Fault], load: Load) -> None:
    """Each fault so many times: first in the matrix's order, then shuffled."""
    seed, events, rate = load.seed, load.events, load.rate
    with _progress(load.runs * len(faults)) as bar:
        for number in range(load.runs):
            order = list(faults) if number == 0 else random.Random(seed + number).sample(faults, len(faults))
            done += trial.run(stack, order, seed=seed + number, events=events, rate=rate, on_progress=_shown(bar))


def _mixed(done: list[Outcome], stack: Settings, load: Load) -> None:
    """Several faults at once, again and again for `LONG_MIX` seconds."""
    ends = time.monotonic() + LONG_MIX
    with _progress(None) as bar:
        while time.monotonic() < ends:
            seed = load.seed + len(done)
            done += trial.run(stack, named([MIX]) * 3, seed=seed, rate=load.rate, on_progress=_shown(bar))


@contextmanager
def _progress(total: int | None) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        bar.add_task("", total=total)
        yield bar


def _shown(bar: Progress) -> trial.OnProgress:
    """Shows where it is: on a terminal in the bar, elsewhere by a line for each fault."""
    seen: list[str] = []

    def on_progress(fault: str, phase: str) -> None:
        if fault and fault not in seen[-1:]:
            seen.append(fault)
            bar.advance(bar.task_ids[0])
            if not console.is_terminal:
                console.print(fault, highlight=False)
        bar.update(bar.task_ids[0], description=f"{fault} {phase}".strip())

    return on_progress


def _show(done: Sequence[Outcome]) -> None:
    frame = outcomes.frame(done)
    table = Table(*(name.replace("_", " ") for name in frame.columns), title="seconds until service was there again")
    for row in frame.itertuples(index=False):
        table.add_row(*(f"{cell:,.1f}" if isinstance(cell, float) else str(cell) for cell in row))
    console.print(table)
    for name, reason in outcomes.not_run(done).items():
        console.print(f"{name} could not be brought about: {reason}", highlight=False, style="yellow")
    for sentence in outcomes.violations(done):
        console.print(sentence, highlight=False, style="red", soft_wrap=True)


if __name__ == "__main__":
    try:
        main()
    except QuestlogError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from error

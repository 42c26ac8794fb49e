"""The progress of the stream, live: a table on a terminal, lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections import deque

from rich.console import Console
from rich.live import Live
from rich.table import Table

from questlog.events.schema import PHASES
from questlog.settings import Settings
from questlog.stream import progress
from questlog.stream.progress import Row

NOTHING_YET = "no micro-batch yet"


def show(settings: Settings) -> None:
    """Show each micro-batch as the stream commits it, until Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        if sys.stdout.isatty():
            _live(settings)
        else:
            for row in progress.follow(settings):
                if row is not None:
                    print(line(row), flush=True)


def line(row: Row) -> str:
    """A micro-batch in one line: what it did, how fast, and where its time went."""
    phases = ", ".join(f"{phase} {row[f'{phase}_seconds']:.3f}" for phase in PHASES)
    return (
        f"batch {row['batch']}: {row['records']:,} records, {row['landed']:,} landed, {_rate(row):,.0f} records/s, "
        f"lag {row['lag']:,}, {row['seconds']:.3f} s: {phases}"
    )


def _live(settings: Settings) -> None:
    rows: deque[Row] = deque(maxlen=progress.SHOWN)
    with Live(_table(settings, rows), console=Console(), screen=False) as live:
        for row in progress.follow(settings):
            if row is not None:
                rows.append(row)
                live.update(_table(settings, rows))


def _table(settings: Settings, rows: deque[Row]) -> Table:
    table = Table(title=f"stream of {settings.namespace}", caption="Ctrl-C ends the view" if rows else NOTHING_YET)
    for heading in (
        "batch",
        "records",
        "landed",
        "records/s",
        "lag",
        "s",
        *(phase.replace("_", " ") for phase in PHASES),
    ):
        table.add_column(heading, justify="right")
    for row in rows:
        seconds = (f"{row[f'{phase}_seconds']:.3f}" for phase in PHASES)
        figures = (f"{row[name]:,}" for name in ("batch", "records", "landed"))
        table.add_row(*figures, f"{_rate(row):,.0f}", f"{row['lag']:,}", f"{row['seconds']:.2f}", *seconds)
    return table


def _rate(row: Row) -> float:
    return float(row["records"] / row["seconds"]) if row["seconds"] else 0.0

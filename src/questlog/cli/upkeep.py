"""Commands that keep the tables in good order: compact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from questlog.cli.flow import progress
from questlog.settings import Settings

if TYPE_CHECKING:
    from questlog.catalog.compaction import Compacted


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be merged.")
@click.pass_obj
def compact(settings: Settings, /, dry_run: bool) -> None:
    """Merge the many small files that a stream lands into few, sorted ones, while it runs and queries are asked.

    Partitions with fewer than QUESTLOG_COMPACT_FILES small files stay as they are. Files become about
    QUESTLOG_COMPACT_MEGABYTES large. The old ones are deleted by a later run, QUESTLOG_COMPACT_GRACE seconds after: no
    query may take longer. A run that is interrupted leaves old files or new ones, and another goes on.

    \b
    questlog compact --dry-run
    QUESTLOG_COMPACT_MINUTES=10 questlog stream   # the stream does it every ten minutes
    """
    from questlog import pipeline

    with progress("merging partitions") as advance:
        done = pipeline.compact(settings, dry_run=dry_run, on_progress=advance)
    Console().print(_table(done))
    before, after = sum(each.files_before for each in done), sum(each.files_after for each in done)
    click.echo(f"{before:,} files {'would become' if dry_run else 'became'} {after:,} in {len(done):,} partitions")


def _table(done: list[Compacted]) -> Table:
    table = Table("table", "partition", "files before", "after", "bytes before", "after")
    for each in done:
        after = "" if each.bytes_after is None else f"{each.bytes_after:,}"
        counts = (f"{each.files_before:,}", f"{each.files_after:,}", f"{each.bytes_before:,}", after)
        table.add_row(each.table, each.partition, *counts)
    return table


COMMANDS = (compact,)

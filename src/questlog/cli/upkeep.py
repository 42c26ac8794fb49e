"""Commands that keep the tables in good order: compact, replay, upgrade."""

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
    """Merge the many small files that a stream lands into few, sorted ones, while queries are asked.

    A running stream does this by itself, every QUESTLOG_COMPACT_MINUTES; then this command is refused. Partitions with
    fewer than QUESTLOG_COMPACT_FILES small files stay as they are. Files become about QUESTLOG_COMPACT_MEGABYTES large.
    A run that is interrupted leaves the old files or the new ones, and another goes on.

    \b
    questlog compact --dry-run
    QUESTLOG_COMPACT_MINUTES=1 questlog stream   # the stream does it every minute
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


@click.command()
@click.argument("table")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.pass_obj
def replay(settings: Settings, /, table: str, dry_run: bool) -> None:
    """Rebuild TABLE: validate its records again by the catalogue as it is now, compare, and switch to the new files.

    TABLE is `events`, an event type, or `dead_letters`. The first two are read from the topic, as far as the stream has
    landed it; the dead letters from their table: those that are valid now become events. Stop the stream
    first; queries are answered throughout, each from the old rows or from the new ones.

    \b
    questlog replay purchase_sword --dry-run
    questlog replay dead_letters   # after a fix of the catalogue
    """
    from questlog import pipeline

    with progress("validating records") as advance:
        found = pipeline.replay(settings, table, dry_run=dry_run, on_progress=advance)
    shown = Table("table", "event type", "rows before", "after", "gone", "new")
    for each in found:
        counts = (each.before, each.after, each.gone, each.new)
        shown.add_row(each.table, each.event_type, *(f"{count:,}" for count in counts))
    Console().print(shown)
    changed = sum(each.gone + each.new for each in found)
    would = "would change; nothing was changed" if dry_run else "changed"
    click.echo(f"{changed:,} rows {would}" if changed else "the tables hold what they have to hold: no row differs")


@click.command()
@click.pass_obj
def upgrade(settings: Settings) -> None:
    """Rewrite the tables of Questlog 0.1 as one table `events`, with views for the event types.

    Stop the stream first. The former files are deleted once Presto has counted the same rows in the new table. A run
    that is interrupted is run again.
    """
    from questlog import pipeline

    with progress("rewriting days") as advance:
        rows = pipeline.upgrade(settings, on_progress=advance)
    if rows is None:
        click.echo(f"namespace {settings.namespace} has no tables of the former layout: nothing to do")
    else:
        click.echo(f"rewrote {sum(rows.values()):,} events of {len(rows)} types; the former files are deleted")


COMMANDS = (compact, replay, upgrade)

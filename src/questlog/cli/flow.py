"""Commands of the data flow: api, generate, catalog, query, verify, reset."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from questlog.cli.fields import print_fields
from questlog.errors import LedgerError
from questlog.events import CATALOGUE
from questlog.generate.world import World
from questlog.settings import Settings

if TYPE_CHECKING:
    from questlog.query.output import Form

TYPES = click.Choice(CATALOGUE.names)


@click.command()
@click.pass_obj
def api(settings: Settings) -> None:
    """Serve the game's API in the foreground until stopped."""
    from questlog.api import server
    from questlog.transport import topics

    topics.create_topic(settings)
    server.serve(settings)


@click.command()
@click.option("--players", default=World.players, help="How many players.")
@click.option("--events", default=World.events, help="How many events they send, bad ones included.")
@click.option("--days", default=World.days, help="Over how many simulated days.")
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), default=str(World.start), help="The first of these days.")
@click.option("--seed", default=World.seed, help="Same seed, same events.")
@click.option("--bad-share", default=World.bad_share, help="Share of events that are deliberately bad.")
@click.option("--batch-size", default=50, help="Events in one request; 1 sends each to its own endpoint.")
@click.option("--processes", default=4, help="Apache Bench processes side by side.")
@click.option("--load", "load", is_flag=True, help="Instead send one kind of request as fast as Apache Bench can.")
@click.option("--event-type", type=TYPES, default=CATALOGUE.names[0], help="With --load: the kind of request.")
@click.option("--requests", default=10_000, help="With --load: how many requests.")
@click.option("--concurrency", default=16, help="With --load: requests at a time.")
@click.pass_obj
def generate(settings: Settings, /, *, load: bool, **options: Any) -> None:
    """Make players play: their events go to the API by Apache Bench.

    \b
    questlog generate --players 2000 --events 40000 --seed 7 --bad-share 0.02
    questlog generate --load --event-type page_view --requests 20000 --concurrency 32
    """
    (_load if load else _play)(settings, **options)


def _play(
    settings: Settings,
    *,
    players: int,
    events: int,
    days: int,
    start: datetime,
    seed: int,
    bad_share: float,
    batch_size: int,
    processes: int,
    **_: object,
) -> None:
    from questlog import pipeline

    world = World(players=players, events=events, days=days, start=start.date(), seed=seed, bad_share=bad_share)
    with progress("sending events") as advance:
        sent = pipeline.generate(settings, world, batch_size=batch_size, processes=processes, on_progress=advance)
    print_fields(sent)


def _load(settings: Settings, event_type: str, requests: int, concurrency: int, processes: int, **_: object) -> None:
    from questlog.generate.load import load

    results = load(settings, event_type=event_type, requests=requests, concurrency=concurrency, processes=processes)
    for result in results:
        print_fields(result)


@click.command()
@click.pass_obj
def catalog(settings: Settings) -> None:
    """Create the database with its tables and views, and add partitions that the metastore does not know yet."""
    from questlog import pipeline

    created = pipeline.create(settings)
    announced = pipeline.announce(settings)
    click.echo(f"database {settings.database}: created {', '.join(created) or 'nothing, all tables are there'}")
    click.echo(f"announced {len(announced)} partitions")


@click.command()
@click.argument("statement")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
@click.pass_obj
def query(settings: Settings, /, statement: str, form: Form) -> None:
    """Ask Presto: prints the answer to STATEMENT, which is SQL or the name of a query that comes with Questlog.

    \b
    questlog query "SELECT event_type, count(*) FROM events GROUP BY 1 ORDER BY 2 DESC"
    questlog query sales_by_item --format csv
    """
    from questlog import pipeline
    from questlog.query import library, output

    named = statement in library.names()
    frame = pipeline.query(settings, statement) if named else pipeline.sql(settings, statement)
    click.echo(output.render(frame, form).rstrip())


@click.command()
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table")
@click.pass_obj
def verify(settings: Settings, /, form: Form) -> None:
    """Print the ledger, what became of the events of each type; exit with 1 if it does not balance."""
    from questlog import pipeline
    from questlog.query import output

    with progress("reading the topic") as advance:
        ledger = pipeline.ledger(settings, on_progress=advance)
    click.echo(output.render(ledger.frame(), form).rstrip())
    if not ledger.balances:
        raise LedgerError("; ".join(ledger.problems))
    click.secho("The ledger balances.", fg="green", err=True)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def reset(settings: Settings, /, yes: bool) -> None:
    """Delete everything of this namespace: topic, tables, files, checkpoint, counters. The servers stay."""
    from questlog import pipeline

    if not yes:
        click.confirm(f"Delete topic {settings.topic}, database {settings.database} and their files?", abort=True)
    pipeline.reset(settings)
    click.echo(f"namespace {settings.namespace} is empty")


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, nothing elsewhere; gives the function that moves it: (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


COMMANDS = (api, generate, catalog, query, verify, reset)

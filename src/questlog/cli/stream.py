"""The command of the stream: runs it, and shows its progress."""

from __future__ import annotations

import sys
from typing import Any

import click

from questlog.cli.fields import print_fields
from questlog.cli.unheard import unheard
from questlog.errors import SettingsError, SetupError, StreamRefused
from questlog.events import CATALOGUE
from questlog.settings import Settings
from questlog.stack.stream import REFUSED, WAITS

FINAL = (SettingsError, SetupError, StreamRefused)
"""Errors that a restart would not mend: the exit status is then `REFUSED`."""


@click.command()
@click.option(
    "--event-types", help=f"Types to land, separated by commas; all unless given: {', '.join(CATALOGUE.names)}."
)
@click.option(
    "--trigger",
    type=click.FloatRange(0, 3600),
    default=1.0,
    help="Seconds between micro-batches; 0 is as soon as possible.",
)
@click.option("--available-now", is_flag=True, help="Stop once caught up with the topic, or at the first error.")
@click.option("--max-offsets", type=click.IntRange(1), help="Most records in one micro-batch.")
@click.option("--follow", is_flag=True, help="Show the progress of this machine's stream, without touching it.")
@click.pass_obj
def stream(settings: Settings, /, *, follow: bool, **options: Any) -> None:
    """Land events from Kafka as parquet in HDFS, in real time, until stopped by Ctrl-C.

    One stream of a namespace writes at a time: a second one, on any machine, waits for the writer lease and takes over
    when the first has ended. The stream ends when an error lasts; what runs it as a service restarts it (questlog up
    --streams 2, Compose, systemd). Exit status 78 says that a restart would not help.
    """
    if follow:
        from questlog.cli import following

        following.show(settings)
        return
    try:
        with unheard():
            print_fields(_run(settings, **options))
    except FINAL as error:
        click.secho(f"{type(error).__name__}: {error}", fg="red", err=True)
        sys.exit(REFUSED)


def _run(
    settings: Settings, *, event_types: str | None, trigger: float, available_now: bool, max_offsets: int | None
) -> object:
    from questlog import pipeline

    return pipeline.stream(
        settings,
        event_types=CATALOGUE.select(part.strip() for part in event_types.split(",")) if event_types else None,
        trigger=None if available_now else trigger,
        available_now=available_now,
        max_offsets=max_offsets,
        on_progress=lambda batch: click.echo(str(batch), err=True),
        on_wait=lambda holder: click.echo(f"{WAITS}: {holder}", err=True),
        keeps_classes=available_now,
    )


COMMANDS = (stream,)

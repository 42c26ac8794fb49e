"""The command of the stream: runs it, watches over it, shows its progress."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import click
from rich.console import Console

from questlog.cli.fields import print_fields
from questlog.cli.unheard import unheard
from questlog.errors import SettingsError, SetupError, StreamRefused
from questlog.events import CATALOGUE
from questlog.settings import Settings

WAITS = "standby: waiting for the writer lease of"
FINAL = (SettingsError, SetupError, StreamRefused)
"""Errors that a restart would not mend."""


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
@click.option("--unsupervised", is_flag=True, help="End at the first error: something else starts it again.")
@click.option("--follow", is_flag=True, help="Show the progress of this machine's stream, without touching it.")
@click.option("--lifeline", type=int, hidden=True, help="File descriptor that is closed when the supervisor dies.")
@click.pass_obj
def stream(settings: Settings, /, *, follow: bool, unsupervised: bool, lifeline: int | None, **options: Any) -> None:
    """Land events from Kafka as parquet in HDFS, in real time, until stopped by Ctrl-C.

    A stream that dies, or loses a server for long, is started again; one that is refused is not. One stream of a
    namespace writes at a time: a second one, on any machine, waits for the writer lease and takes over when the
    first has ended.
    """
    if follow:
        _follow(settings)
    elif lifeline is not None:
        _run_as_child(settings, lifeline, options)
    elif unsupervised or options["available_now"]:
        _run(settings, **options)
    else:
        _supervise(settings, options)


def _run(
    settings: Settings,
    *,
    event_types: str | None,
    trigger: float,
    available_now: bool,
    max_offsets: int | None,
    stop: threading.Event | None = None,
    on_wait: Callable[[str], object] | None = None,
) -> None:
    from questlog import pipeline

    console = Console(stderr=True)
    with unheard():
        summary = pipeline.stream(
            settings,
            event_types=_selected(event_types),
            trigger=None if available_now else trigger,
            available_now=available_now,
            max_offsets=max_offsets,
            on_progress=lambda batch: console.print(str(batch), highlight=False),
            stop=stop,
            on_wait=on_wait or (lambda holder: console.print(f"{WAITS}: {holder}", highlight=False)),
            keeps_classes=available_now,
        )
    print_fields(summary)


def _selected(event_types: str | None) -> tuple[str, ...] | None:
    return CATALOGUE.select(part.strip() for part in event_types.split(",")) if event_types else None


def _supervise(settings: Settings, options: dict[str, Any]) -> None:
    from questlog.stream import supervision
    from questlog.stream.faults import Faults

    _selected(options["event_types"])
    Faults(settings.fault_point)
    console = Console(stderr=True)
    status = supervision.supervise(
        settings,
        lambda lifeline: _command(lifeline, options),
        on_restart=lambda restart: console.print(str(restart), style="yellow", highlight=False),
    )
    sys.exit(1 if status else 0)


def _command(lifeline: int, options: dict[str, Any]) -> Sequence[str]:
    """The command line of the same stream as a child."""
    given = {name: value for name, value in options.items() if value is not None and value is not False}
    words = [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    return [sys.executable, "-m", "questlog", "stream", "--lifeline", str(lifeline), *words]


def _run_as_child(settings: Settings, lifeline: int, options: dict[str, Any]) -> None:
    from questlog.stream import child, supervision

    def on_wait(holder: str) -> None:
        click.echo(f"{WAITS}: {holder}", err=True)
        supervision.log_ready(settings)

    stop = threading.Event()
    child.hold(lifeline, stop)
    try:
        _run(settings, stop=stop, on_wait=on_wait, **options)
    except FINAL as error:
        click.secho(f"{type(error).__name__}: {error}", fg="red", err=True)
        sys.exit(supervision.REFUSED)


def _follow(settings: Settings) -> None:
    from questlog.cli import following

    following.show(settings)


COMMANDS = (stream,)

"""The command of the stream: runs it, watches over it, shows its progress."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console

from questlog.cli.fields import print_fields
from questlog.cli.unheard import unheard
from questlog.errors import SettingsError, SetupError, StreamRefused
from questlog.events import CATALOGUE
from questlog.settings import Settings

FINAL = (SettingsError, SetupError, StreamRefused)
"""What to start again would not help."""


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

    A stream that dies, or loses a server for long, is started again; one that is refused is not.
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
    from questlog.stream import child, rehearsal, supervision

    if not child.has_turn(lifeline):
        _stand_by(settings, lifeline)
    if not child.await_turn(lifeline):
        rehearsal.leave()
        return
    stop = threading.Event()
    child.hold(lifeline, stop)
    try:
        _run(settings, stop=stop, **options)
    except FINAL as error:
        click.secho(f"{type(error).__name__}: {error}", fg="red", err=True)
        sys.exit(supervision.REFUSED)


def _stand_by(settings: Settings, lifeline: int) -> None:
    from questlog import pipeline
    from questlog.stream import child, supervision

    with unheard():
        pipeline.rehearse(settings)
        if not child.has_turn(lifeline):
            click.echo("A standby is ready to take the stream's place.", err=True)
            supervision.log_ready(settings)


def _follow(settings: Settings) -> None:
    from questlog.cli import following

    following.show(settings)


COMMANDS = (stream,)

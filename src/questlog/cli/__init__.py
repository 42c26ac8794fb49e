"""The command line: parses, builds the settings, calls one function.

Commands are named for the stages of the flow; each module here holds those of one concern. Whatever loads slowly
(Spark, pandas, clients) is imported by the command that needs it, so that `questlog --help` and `questlog status` are
quick.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from questlog.cli import book, container, flow, local, stream, upkeep
from questlog.errors import QuestlogError
from questlog.settings import PREFIX, Settings

INTERRUPTED = 130


class Questlog(click.Group):
    """A group of commands that turns an error of ours into a sentence and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; 1 for an error of ours, 130 when interrupted."""
        try:
            return super().invoke(ctx)
        except QuestlogError as error:
            click.secho(f"{type(error).__name__}: {error}", fg="red", err=True)
            sys.exit(1)
        except KeyboardInterrupt:
            click.secho("Interrupted.", fg="red", err=True)
            sys.exit(INTERRUPTED)


@click.group(cls=Questlog, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--namespace", help="Names the topic, the database and the folders of one pipeline.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="State of the local servers.")
@click.option("--port-offset", type=int, help="Added to every default port: a second stack beside the first.")
@click.version_option(package_name="questlog")
@click.pass_context
def main(ctx: click.Context, /, **given: object) -> None:
    """A literate event pipeline: Flask, Kafka, Spark Structured Streaming, HDFS, Hive, Presto.

    The flow: `up` starts the servers, `generate` sends events, `stream` lands them, `query` asks, `verify` accounts for
    every event, `book` runs the chapters. Every setting can also be given by a variable: see `questlog settings`.
    """
    ctx.obj = Settings.load(**{name: value for name, value in given.items() if value is not None})


@main.command("settings")
@click.pass_obj
def show_settings(settings: Settings) -> None:
    """List every setting, its variable and its value."""
    table = Table("variable", "value", "meaning")
    for name, field in type(settings).model_fields.items():
        table.add_row(f"{PREFIX}{name.upper()}", str(getattr(settings, name)), field.description)
    Console().print(table)


for module in (local, flow, stream, upkeep, book, container):
    for command in module.COMMANDS:
        main.add_command(command)

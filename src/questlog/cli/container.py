"""Commands of a container: serve, ready."""

from __future__ import annotations

import click

from questlog.settings import Settings
from questlog.stack import container

SERVER = click.Choice(tuple(container.SERVICES))
NAMES = f"NAME is one of {', '.join(container.SERVICES)}."


@click.command(epilog=NAMES)
@click.argument("name", type=SERVER, metavar="NAME")
@click.pass_obj
def serve(settings: Settings, name: str) -> None:
    """Be one server, in the foreground, until stopped: what a container runs."""
    container.serve(settings, name)


@click.command(epilog=NAMES)
@click.argument("name", type=SERVER, metavar="NAME")
@click.pass_obj
def ready(settings: Settings, name: str) -> None:
    """Exit with 0 if a server answers its readiness question, with 1 if not."""
    container.check_ready(settings, name)
    click.echo(f"{name} is ready.")


COMMANDS = (serve, ready)

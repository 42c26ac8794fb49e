"""Commands of a container: serve, ready."""

from __future__ import annotations

import click

from questlog.settings import Settings
from questlog.stack import container

SERVER = click.Choice(tuple(container.SERVICES))


@click.command()
@click.argument("name", type=SERVER)
@click.pass_obj
def serve(settings: Settings, name: str) -> None:
    """Be one server, in the foreground, until stopped: what a container runs."""
    container.serve(settings, name)


@click.command()
@click.argument("name", type=SERVER)
@click.pass_obj
def ready(settings: Settings, name: str) -> None:
    """Exit with 0 if a server answers its readiness question, with 1 if not."""
    container.check_ready(settings, name)
    click.echo(f"{name} is ready.")


COMMANDS = (serve, ready)

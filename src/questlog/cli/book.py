"""The command of the book: run its chapters on the servers, build its site."""

from __future__ import annotations

import click

from questlog.errors import BookError
from questlog.settings import Settings


@click.command()
@click.option("--parameter", "-p", "given", type=(str, str), multiple=True, help="Name and value; may be repeated.")
@click.option("--only", multiple=True, help="Run only this chapter; may be repeated.")
@click.option("--update", is_flag=True, help="For maintainers: put the outputs into the committed notebooks.")
@click.pass_obj
def book(settings: Settings, /, given: tuple[tuple[str, str], ...], only: tuple[str, ...], update: bool) -> None:
    """Run every chapter on the running servers and build the site from what they computed.

    \b
    questlog book -p players 500 -p seed 7
    """
    from questlog.book import run, site

    if len(dict(given)) < len(given):
        raise BookError(f"a parameter is given twice in {given!r}: give each once")
    run.run(settings, dict(given), only=only or None, update=update)
    index = site.build(run.BUILD)
    click.echo(f"The book is built: open {index}")


COMMANDS = (book,)

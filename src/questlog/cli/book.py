"""The command of the book: run its chapters on the servers, build its site."""

from __future__ import annotations

import click

from questlog.errors import BookError
from questlog.settings import Settings


@click.command()
@click.option("--parameter", "-p", "given", type=(str, str), multiple=True, help="Name and value; may be repeated.")
@click.option(
    "--name",
    help="The edition's name: 1 to 40 of a-z, 0-9 and -. Unless given it is made of the parameters, as in players-500.",
)
@click.option("--only", multiple=True, help="Run only this chapter; may be repeated.")
@click.option("--update", is_flag=True, help="For maintainers: put the outputs into the committed notebooks.")
@click.pass_obj
def book(
    settings: Settings, /, given: tuple[tuple[str, str], ...], name: str | None, only: tuple[str, ...], update: bool
) -> None:
    """Run every chapter on the running servers and build the site from what they computed.

    Each set of parameters makes an edition of its own. Editions stay side by side below _build/book, each with its
    manifest (parameters, versions, commit, counts, durations); the page "Editions" of every site compares them, and
    scripts/serve serves them all. One that is made again replaces the one of its name.

    \b
    questlog book
    questlog book -p players 2000 -p events 40000 -p seed 7 --name large
    questlog book --only 06_presto --name large -p players 2000 -p events 40000 -p seed 7
    """
    from questlog.book import editions, run

    if len(dict(given)) < len(given):
        raise BookError(f"a parameter is given twice in {given!r}: give each once")
    edition = editions.Edition(editions.named_after(dict(given)) if name is None else name)
    run.run(settings, dict(given), edition.folder, only=only or None, update=update)
    click.echo(f"The edition {edition.name} is built: open {editions.publish(edition)}")


COMMANDS = (book,)

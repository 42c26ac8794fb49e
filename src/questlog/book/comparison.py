"""Editions side by side, as Markdown tables: what each was made with, what it counted, how long it took."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from questlog.book.manifest import Manifest

NOTHING = "-"
UNBROKEN_HYPHEN, UNBROKEN_SPACE = "\N{NON-BREAKING HYPHEN}", "\N{NO-BREAK SPACE}"
COUNTS = ("accepted", "landed", "rejected", "duplicates")
MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~$])")
ONE = """There is one edition, the one that you read.
`questlog book -p players 2000 -p events 40000 -p seed 7 --name large` makes another beside it, about other
players; this page then compares the two."""


def markdown(own: Manifest | None, all_of_them: Sequence[Manifest]) -> str:
    """The page's tables for the editions `all_of_them`; the edition that the reader is in is `own`."""
    if own is None:
        return "This book was built without the account of a run, so there is nothing to compare."
    there = all_of_them or [own]
    said = f"There are {len(there)} editions, side by side." if len(there) > 1 else ONE
    # What stands before the first heading would come after the last section, so all of it has one.
    return "\n\n".join(("## The editions", said, _overview(own, there), *_differences(there)))


def table(heading: Sequence[str], rows: Iterable[Sequence[str]], *, numbers_from: int | None = None) -> str:
    """A table of Markdown; its cells are Markdown already, and numbers from one of its columns on."""
    texts = len(heading) if numbers_from is None else numbers_from
    lines = [heading, ["---"] * texts + ["---:"] * (len(heading) - texts), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def literal(text: object) -> str:
    """Any text as Markdown that shows it as it is, in one line."""
    return MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def _overview(own: Manifest, there: Sequence[Manifest]) -> str:
    heading = ["edition", "run, UTC", "commit", *COUNTS, "chapters", "took, s"]
    rows = [
        [
            _link(own, one),
            f"{one.date:%Y-%m-%d %H:%M}".replace("-", UNBROKEN_HYPHEN).replace(" ", UNBROKEN_SPACE),
            literal(one.source or NOTHING),
            *(f"{one.counts[count]:,}" if count in one.counts else NOTHING for count in COUNTS),
            str(len(one.chapters)),
            f"{one.seconds:,.0f}",
        ]
        for one in there
    ]
    return table(heading, rows, numbers_from=heading.index(COUNTS[0]))


def _link(own: Manifest, one: Manifest) -> str:
    name = html.escape(one.edition)
    return f"**{name}**, this one" if one.edition == own.edition else f'<a href="../../{name}/index.html">{name}</a>'


def _differences(there: Sequence[Manifest]) -> Iterable[str]:
    yield "## Parameters\n\nWhat the chapters ran with. Two values stand where two chapters had different ones."
    yield _beside(
        "parameter", there, lambda one: {k: ", ".join(map(str, values)) for k, values in one.parameters.items()}
    )
    yield "## Durations\n\nSeconds that each chapter took. The first one to need the players makes them, for all."
    yield _beside(
        "chapter",
        there,
        lambda one: {name: f"{record.seconds:.1f}" for name, record in one.chapters.items()},
        numbers_from=1,
    )
    yield "## Versions\n\nThe engines as they are locked, the libraries as they were installed."
    yield _beside("software", there, lambda one: {**one.engines, **one.libraries})


def _beside(
    what: str,
    there: Sequence[Manifest],
    facts: Callable[[Manifest], Mapping[str, str]],
    *,
    numbers_from: int | None = None,
) -> str:
    """A table with a column for each edition, and a row for each fact that one of them has; `what` the facts are of."""
    by_edition = [facts(one) for one in there]
    names = dict.fromkeys(name for known in by_edition for name in known)
    rows = [[f"`{name}`", *(literal(known.get(name) or NOTHING) for known in by_edition)] for name in names]
    return table([what, *(literal(one.edition) for one in there)], rows, numbers_from=numbers_from)

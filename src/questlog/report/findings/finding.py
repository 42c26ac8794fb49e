"""A finding: what the numbers say, what to do about it, and how sure that is."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

MARKUP = re.compile(r"([\\`*_{}\[\]$|~])")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the numbers say.

    Attributes:
        title: the finding in one line; it also heads the chart.
        sentence: the numbers behind it.
        figure: the one number to remember, with its unit; empty where there is none.
        recommendation: what to do, and the number that it follows from.
        confidence: how sure we are, and why.
    """

    title: str
    sentence: str
    figure: str
    recommendation: str
    confidence: str


def absent(what: str, held: str) -> Finding:
    """The finding that there is none: nothing can be told about `what`, because the data hold only `held`."""
    return Finding(
        title=f"Nothing to say about {what}",
        sentence=f"The data hold {held}.",
        figure="",
        recommendation="Nothing follows from it. Look again when there are more data.",
        confidence="None: there is too little to measure.",
    )


def markdown(findings: Iterable[Finding]) -> str:
    """The findings as Markdown, for IPython's `Markdown`; names from outside are text in it, never markup."""
    return "\n\n".join(_paragraph(finding) for finding in findings)


def headlines(findings: Mapping[str, Finding]) -> str:
    """The findings' titles as a numbered list in Markdown, each a link to the target ``finding-NAME`` of the page.

    Sphinx makes hyphens of what else parts a target's words, and so does the link.
    """
    links = (f"[{plain(known.title)}](#finding-{name.replace('_', '-')})" for name, known in findings.items())
    return "\n".join(f"{number}. {link}" for number, link in enumerate(links, start=1))


def plain(text: str) -> str:
    """The text with everything escaped that Markdown or HTML would read as markup within a line."""
    return MARKUP.sub(r"\\\1", html.escape(text, quote=False))


def _paragraph(finding: Finding) -> str:
    lines = [
        f"**{plain(finding.title)}.** {plain(finding.sentence)}",
        "",
        f"- **What to do:** {plain(finding.recommendation)}",
        f"- **How sure we are:** {plain(finding.confidence)}",
    ]
    return "\n".join(lines)

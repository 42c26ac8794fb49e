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
        action: what to do, in a clause.
        reason: why, with the number that it follows from, in a clause.
        confidence: how sure we are, and why.
    """

    title: str
    sentence: str
    figure: str
    action: str
    reason: str
    confidence: str

    @property
    def recommendation(self) -> str:
        """What to do, and why."""
        return f"{self.action}: {self.reason}."

    @property
    def sureness(self) -> str:
        """The word that `confidence` begins with: high, medium, low or none."""
        return self.confidence.partition(":")[0].lower()


def absent(what: str, held: str) -> Finding:
    """The finding that there is none: nothing can be told about `what`, because the data hold only `held`."""
    return Finding(
        title=f"Nothing to say about {what}",
        sentence=f"The data hold {held}.",
        figure="",
        action="Decide nothing yet",
        reason="it takes more data to tell",
        confidence="None: there is too little to measure.",
    )


def markdown(findings: Iterable[Finding]) -> str:
    """The findings as Markdown, for IPython's `Markdown`; names from outside are text in it, never markup."""
    return "\n\n".join(_paragraph(finding) for finding in findings)


def headlines(findings: Mapping[str, Finding]) -> str:
    """What to do, the finding that asks for it, and how sure that is: a numbered list in Markdown.

    Each finding is a link to the target ``finding-NAME`` of the page. Sphinx makes hyphens of what else parts a
    target's words, and so does the link.
    """
    lines = (_line(known, f"#finding-{name.replace('_', '-')}") for name, known in findings.items())
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1))


def _line(finding: Finding, target: str) -> str:
    return f"**{plain(finding.action)}.** [{plain(finding.title)}]({target}). How sure: {finding.sureness}."


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

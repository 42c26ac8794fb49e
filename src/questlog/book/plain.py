"""Terminal output as plain text."""

import re

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def plain(text: str) -> str:
    """The text without the terminal's colours."""
    return COLOUR.sub("", text)

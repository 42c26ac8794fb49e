"""Code as a chapter shows it."""

from __future__ import annotations

from IPython.display import Markdown


def sql(text: str) -> Markdown:
    """SQL as a coloured block."""
    return Markdown(f"```sql\n{text.strip()}\n```")  # type: ignore[no-untyped-call]

"""Frames as people read them: thousands separators, shares as percentages, the same HTML every time."""

from __future__ import annotations

import hashlib
import html
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from IPython.display import HTML
from pandas.io.formats.style import Styler

from questlog.report.evidence import percent

NOTHING = "-"
NO_ROWS = "No rows"
MOST_ROWS = 10
SHARES = ("share", "rate")
"""A column of floats whose name has one of these words holds shares, 0 to 1."""
STYLES: Any = [
    {"selector": "caption", "props": "caption-side: top; text-align: left; padding-bottom: 0.4em"},
    {"selector": "td", "props": "max-width: 44em; overflow-wrap: break-word; white-space: normal"},
]
RIGHT = [{"selector": "", "props": "text-align: right"}]
LEFT = [{"selector": "", "props": "text-align: left"}]
CARD = "border: 1px solid #8884; border-radius: 0.4em; padding: 0.6em 0.9em"
CARDS = "display: grid; grid-template-columns: repeat(auto-fit, minmax(max(9em, 30%), 1fr)); gap: 0.6em"
NUMBER = "font-size: 1.5em; font-weight: bold; margin: 0"


@dataclass(frozen=True)
class Table:
    """A frame that shows itself for people: as HTML in a notebook, else as text."""

    frame: pd.DataFrame
    caption: str = ""

    def __repr__(self) -> str:
        shown = text(self.frame)
        return shown.to_string(index=False) if len(shown) else f"{NO_ROWS}: {', '.join(shown.columns)}"

    def _repr_html_(self) -> str:
        return f'<div style="overflow-x: auto">{_styler(self.frame, self.caption).to_html()}</div>'


def table(frame: pd.DataFrame, caption: str = "") -> Table:
    """The frame for people; a cell shows it when its last line is the call.

    Integers get separators, floats one decimal (a little, such as 0.004, its first digit), shares become percentages,
    a day is a date, a missing value a dash; names from outside are escaped. The HTML is the same for the same frame and
    caption.
    """
    return Table(frame, caption)


def first_rows(frame: pd.DataFrame, most: int = MOST_ROWS) -> Table:
    """The frame's first rows for people, under a caption that says of how many they are; all of a short one."""
    return table(frame.head(most), _part("first", most, len(frame)))


def last_rows(frame: pd.DataFrame, most: int = MOST_ROWS) -> Table:
    """The frame's last rows, likewise."""
    return table(frame.tail(most), _part("last", most, len(frame)))


def text(frame: pd.DataFrame) -> pd.DataFrame:
    """The same cells and headings, as a frame of text."""
    return pd.DataFrame({_heading(name): _cells(frame, name) for name in frame.columns})


def _cells(frame: pd.DataFrame, name: object) -> list[str]:
    form = _format(str(name), frame[name].dtype)
    return [NOTHING if _is_missing(cell) else form(cell) for cell in frame[name]]


def _is_missing(cell: Any) -> bool:
    return pd.api.types.is_scalar(cell) and bool(pd.isna(cell))


def _styler(frame: pd.DataFrame, caption: str) -> Styler:
    shown = text(frame)
    numbers = [_heading(name) for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])]
    by_column: Any = {name: RIGHT if name in numbers else LEFT for name in shown.columns}
    said = caption or ("" if len(frame) else NO_ROWS)
    styler = Styler(shown, uuid=_uuid(frame, caption), cell_ids=False, caption=html.escape(said) or None)
    styler.format(escape="html").format_index(html.escape, axis=1).hide(axis="index")  # type: ignore[arg-type]
    return styler.set_table_styles(STYLES).set_table_styles(by_column, overwrite=False)


def cards(figures: Iterable[tuple[str, str]]) -> HTML:
    """Numbers to remember with what they mean, as boxes side by side that wrap on a narrow screen."""
    boxes = "".join(
        f'<div style="{CARD}"><p style="{NUMBER}">{html.escape(number)}</p>{html.escape(meaning)}</div>'
        for number, meaning in figures
    )
    return HTML(f'<div style="{CARDS}">{boxes}</div>')  # type: ignore[no-untyped-call]


def key_figures(
    events_by_type: pd.DataFrame, players_by_day: pd.DataFrame, revenue_by_day: pd.DataFrame
) -> list[tuple[str, str]]:
    """The numbers at the head of the report, for `cards`; the frames are the answers to the queries of these names."""
    counts = events_by_type.set_index("event_type")["events"].to_dict()
    gold, days = int(revenue_by_day["gold"].sum()), len(players_by_day)
    players = int(players_by_day["new_players"].sum())
    busiest = int(players_by_day["players"].max()) if days else 0
    return [
        (f"{sum(counts.values()):,}", "events landed"),
        (f"{days:,}", "days with events"),
        (f"{players:,}", "players seen"),
        (f"{busiest:,}", "players on the busiest day"),
        (f"{int(revenue_by_day['pieces'].sum()):,}", "pieces sold"),
        (f"{gold:,}", "gold earned by the shop"),
    ]


def _part(which: str, most: int, rows: int) -> str:
    return f"The {which} {most} of {rows:,} rows" if rows > most else ""


def _format(name: str, dtype: Any) -> Callable[[Any], str]:
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return _moment
    if pd.api.types.is_integer_dtype(dtype):
        return "{:,}".format
    if pd.api.types.is_float_dtype(dtype):
        return percent if any(word in name.split("_") for word in SHARES) else _float
    return str


def _float(number: float) -> str:
    """One decimal, or as many as it takes to tell a little from nothing: 1,234.5, 0.004."""
    rounded = f"{number:,.1f}"
    return rounded if number == 0 or float(rounded.replace(",", "")) else f"{number:.{_decimals(number)}f}"


def _decimals(number: float) -> int:
    return -math.floor(math.log10(abs(number)))


def _moment(moment: datetime) -> str:
    is_day = moment == moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{moment:%Y-%m-%d}" if is_day else f"{moment:%Y-%m-%d %H:%M:%S}"


def _heading(name: object) -> str:
    return str(name).replace("_", " ")


def _uuid(frame: pd.DataFrame, caption: str) -> str:
    known = f"{caption}\n{','.join(map(str, frame.columns))}"
    return hashlib.sha256(known.encode()).hexdigest()[:8]

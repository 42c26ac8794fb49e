"""An answer as a person or a program reads it."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, get_args

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from questlog.errors import QueryError
from questlog.lake.values import DATE

Form = Literal["table", "csv", "json"]
MOST_ROWS_SHOWN = 1000
WIDTH_WITHOUT_TERMINAL = 160
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def render(frame: pd.DataFrame, form: Form = "table") -> str:
    """The frame as text that ends with a newline.

    ``table`` is drawn for the terminal's width and shows at most `MOST_ROWS_SHOWN` rows; ``csv`` is RFC 4180 with a
    header; ``json`` one array with an object for each row. Dates and times are ISO 8601, bytes are read as UTF-8
    with escapes for the rest, a null is an empty cell or ``null``.

    Raises:
        QueryError: for another form, or two columns of the same name in JSON.
    """
    forms = {"table": _table, "csv": _csv, "json": _json}
    if form not in forms:
        raise QueryError(f"form {form!r} is not known; there are {', '.join(get_args(Form))}")
    return forms[form](_by_column(_plain, frame))


def _table(frame: pd.DataFrame) -> str:
    table = Table()
    for position, name in enumerate(frame.columns):
        number = pd.api.types.is_numeric_dtype(frame.dtypes.iloc[position])
        table.add_column(Text(str(name)), justify="right" if number else "left", overflow="fold")
    for row in frame.head(MOST_ROWS_SHOWN).itertuples(index=False, name=None):
        table.add_row(*(Text(_cell(value)) for value in row))
    out = io.StringIO()
    console = Console(file=out, width=shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 0)).columns)
    console.print(table)
    if len(frame) > MOST_ROWS_SHOWN:
        console.print(f"the first {MOST_ROWS_SHOWN} of {len(frame)} rows")
    return out.getvalue()


def _csv(frame: pd.DataFrame) -> str:
    return _by_column(_flat, frame).to_csv(index=False)


def _json(frame: pd.DataFrame) -> str:
    if not frame.columns.is_unique:
        twice = sorted({*frame.columns[frame.columns.duplicated()]})
        raise QueryError(f"columns {twice} are there twice, a JSON object has a name once: name them apart with AS")
    return frame.to_json(orient="records", force_ascii=False, double_precision=15) + "\n"


def _by_column(change: Callable[[pd.Series[Any]], pd.Series[Any]], frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every column changed; by position, since two may share a name."""
    changed = [change(frame.iloc[:, position]) for position in range(frame.shape[1])]
    return pd.concat(changed, axis=1) if changed else frame


def _flat(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.map(_nested_as_json) if column.dtype == "object" else column


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Dates, times, bytes and decimals as text; numbers and truth values stay what they are."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        is_date = column.dtype == DATE
        texts = [None if pd.isna(moment) else _iso(moment, is_date) for moment in column]
    elif column.dtype == "object":
        texts = [_as_text(value) for value in column]
    else:
        return column
    return pd.Series(texts, index=column.index, name=column.name, dtype="object")


def _iso(moment: pd.Timestamp, is_date: bool) -> str:
    return moment.date().isoformat() if is_date else moment.isoformat(timespec="milliseconds")


def _as_text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return str(value) if isinstance(value, Decimal) else value


def _cell(value: Any) -> str:
    """Control characters are shown as escapes: what a player sent must not steer a terminal."""
    text = "" if _is_null(value) else str(_nested_as_json(value))
    return CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _nested_as_json(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _is_null(value: Any) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))

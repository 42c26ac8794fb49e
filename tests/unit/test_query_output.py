import csv
import io
import json
from decimal import Decimal

import pandas as pd
import pytest

from questlog.errors import QueryError
from questlog.lake import values
from questlog.lake.values import Column
from questlog.query.output import MOST_ROWS_SHOWN, render

COLUMNS = [
    Column("day", "date"),
    Column("at", "timestamp"),
    Column("gold", "bigint"),
    Column("share", "double"),
    Column("name", "varchar"),
    Column("raw", "varbinary"),
    Column("headers", "map(varchar, varchar)"),
    Column("price", "decimal(10,2)"),
]
FULL = (
    "2026-01-05",
    "2026-01-05 00:00:00.000",
    2**60,
    0.1,
    'Dragon, "red"',
    b"caf\xc3\xa9 \xff",
    {"host": "h"},
    Decimal("1.50"),
)
FRAME = values.frame(COLUMNS, [FULL, (None,) * len(COLUMNS)])


def test_csv_has_a_header_iso_times_and_empty_cells_for_null() -> None:
    header, full, nothing = csv.reader(io.StringIO(render(FRAME, "csv")))
    assert header == [column.name for column in COLUMNS]
    assert full == [
        "2026-01-05",
        "2026-01-05T00:00:00.000",
        str(2**60),
        "0.1",
        'Dragon, "red"',
        "café \\xff",
        '{"host": "h"}',
        "1.50",
    ]
    assert nothing == [""] * len(COLUMNS)


def test_json_is_one_object_a_row_with_null_for_null() -> None:
    full, nothing = json.loads(render(FRAME, "json"))
    assert full == {
        "day": "2026-01-05",
        "at": "2026-01-05T00:00:00.000",
        "gold": 2**60,
        "share": 0.1,
        "name": 'Dragon, "red"',
        "raw": "café \\xff",
        "headers": {"host": "h"},
        "price": "1.50",
    }
    assert set(nothing.values()) == {None}


def test_json_of_no_rows_is_an_empty_array() -> None:
    assert json.loads(render(FRAME.head(0), "json")) == []


def test_json_with_two_columns_of_one_name_says_what_to_do() -> None:
    with pytest.raises(QueryError, match=r"\['a'\].*AS"):
        render(pd.DataFrame([[1, 2]], columns=["a", "a"]), "json")


def test_a_table_shows_names_and_values() -> None:
    text = render(pd.DataFrame({"guild": ["Night Watch"], "gold": [5]}))
    assert all(word in text for word in ("guild", "gold", "Night Watch", "5"))


def test_a_table_says_how_many_rows_it_leaves_out() -> None:
    rows = MOST_ROWS_SHOWN + 1
    assert f"the first {MOST_ROWS_SHOWN} of {rows} rows" in render(pd.DataFrame({"n": range(rows)}))


def test_a_table_takes_what_a_player_sent_neither_for_markup_nor_for_a_terminal_command() -> None:
    text = render(pd.DataFrame({"raw": [b"[bold]x \x1b[2J"]}))
    assert "[bold]x \\x1b[2J" in text
    assert "\x1b" not in text


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_an_answer_without_columns_renders_in_every_form(form) -> None:
    assert render(pd.DataFrame(), form).endswith("\n")


def test_another_form_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(QueryError, match="'xml' is not known; there are table, csv, json"):
        render(FRAME, "xml")  # type: ignore[arg-type]

"""Frames for people."""

import pandas as pd
import pytest
from test_report_frames import FRAMES

from questlog.report import code, tables


def test_numbers_shares_and_days_read_as_people_write_them() -> None:
    day = pd.Series(pd.to_datetime(["2026-01-05"])).astype("datetime64[s]")
    row = {"gold": [12345], "win_rate": [0.384], "share_of_previous": [1.0], "gold_per_piece": [1234.56], "day": day}
    shown = tables.text(pd.DataFrame(row)).iloc[0].tolist()
    assert shown == ["12,345", "38%", "100%", "1,234.6", "2026-01-05"]


def test_a_little_is_not_shown_as_nothing() -> None:
    frame = pd.DataFrame({"hours": [0.0, 0.0042, -0.0096, 0.04, 0.06, 1_000.04]})
    assert tables.text(frame)["hours"].tolist() == ["0.0", "0.004", "-0.010", "0.04", "0.1", "1,000.0"]


def test_a_time_of_day_is_kept() -> None:
    frame = pd.DataFrame({"event_time": pd.to_datetime(["2026-01-05 10:00:01"])})
    assert tables.text(frame).iloc[0, 0] == "2026-01-05 10:00:01"


def test_missing_values_are_dashes() -> None:
    frame = pd.DataFrame({"gold": pd.Series([1, None], dtype="Int64"), "share": [0.5, None], "reason": ["a", None]})
    assert tables.text(frame).iloc[1].tolist() == ["-", "-", "-"]


def test_cells_with_lists_and_maps_are_shown_as_they_are() -> None:
    frame = pd.DataFrame({"headers": [{"host": "a"}], "numbers": [[1, 2]]})
    assert tables.text(frame).iloc[0].tolist() == ["{'host': 'a'}", "[1, 2]"]


def test_a_table_without_rows_says_so() -> None:
    empty = tables.table(pd.DataFrame({"event_type": [], "records": []}))
    assert repr(empty) == "No rows: event type, records"
    assert "No rows</caption>" in empty._repr_html_()


def test_names_from_outside_are_escaped() -> None:
    frame = pd.DataFrame({"<i>guild</i>": ["<script>alert(1)</script>"]})
    page = tables.table(frame, "a <b> c")._repr_html_()
    assert "<script>" not in page
    assert "<i>" not in page
    assert "a &lt;b&gt; c" in page


@pytest.mark.parametrize("name", FRAMES)
def test_the_same_frame_gives_the_same_html_and_text(name: str) -> None:
    one, other = (tables.table(FRAMES[name](), "caption") for _ in range(2))
    assert one._repr_html_() == other._repr_html_()
    assert repr(one) == repr(other)
    assert "0x" not in repr(one)


def test_tables_of_one_page_do_not_share_an_id() -> None:
    ids = {tables.table(frame())._repr_html_().split('table id="')[1][:10] for frame in FRAMES.values()}
    assert len(ids) == len(FRAMES)


def test_numbers_stand_right_and_text_left() -> None:
    page = tables.table(pd.DataFrame({"item": ["a"], "gold": [1]}))._repr_html_()
    assert ".col0 {\n  text-align: left" in page
    assert ".col1 {\n  text-align: right" in page


def test_a_table_that_is_cut_says_of_how_many_rows_it_shows_which() -> None:
    frame = pd.DataFrame({"gold": range(1_200)})
    first, last = tables.first_rows(frame), tables.last_rows(frame, 7)
    assert (first.caption, last.caption) == ("The first 10 of 1,200 rows", "The last 7 of 1,200 rows")
    assert (first.frame["gold"].iloc[-1], last.frame["gold"].iloc[0]) == (9, 1_193)
    assert tables.first_rows(frame.head(10)).caption == tables.last_rows(frame.head(3)).caption == ""


def test_a_frame_without_rows_shows_its_headings() -> None:
    assert "win rate" in tables.table(FRAMES["quests"]().iloc[:0])._repr_html_()


def test_the_key_figures_are_sums_of_the_frames() -> None:
    frames = (FRAMES[name]() for name in ("events_by_type", "players_by_day", "revenue_by_day"))
    figures = {meaning: number for number, meaning in tables.key_figures(*frames)}
    assert figures["events landed"] == "720"
    assert figures["days with events"] == "14"
    assert figures["players seen"] == "84"


def test_key_figures_of_nothing_are_noughts() -> None:
    frames = (FRAMES[name]().iloc[:0] for name in ("events_by_type", "players_by_day", "revenue_by_day"))
    assert {number for number, _ in tables.key_figures(*frames)} == {"0"}


def test_cards_are_escaped() -> None:
    assert "&lt;b&gt;" in tables.cards([("<b>", "x")]).data


def test_sql_is_shown_as_a_block_of_sql() -> None:
    assert code.sql("SELECT 1\n").data == "```sql\nSELECT 1\n```"

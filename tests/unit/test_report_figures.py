"""The charts: each states what its frame shows, and can be read."""

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from test_report_frames import FRAMES

from questlog.report import figures, findings, style
from questlog.report.chart import Chart

LEAST_POINTS = 10
FUNNEL_STEPS = 4


def draw(name: str, frame: pd.DataFrame | None = None) -> Chart:
    return getattr(figures, name)(FRAMES[name]() if frame is None else frame)


@pytest.mark.parametrize("name", FRAMES)
def test_the_title_states_the_finding_that_the_frame_supports(name: str) -> None:
    chart = draw(name)
    assert chart.said == getattr(findings, name)(FRAMES[name]()).title
    assert chart.get_suptitle().replace("\n", " ") == chart.said


@pytest.mark.parametrize("name", FRAMES)
def test_the_axes_say_what_they_count(name: str) -> None:
    (axes,) = draw(name).axes
    assert axes.get_xlabel()
    assert axes.get_ylabel() or [label.get_text() for label in axes.get_yticklabels()]


@pytest.mark.parametrize("name", FRAMES)
def test_every_text_lies_within_the_picture_and_is_large_enough_for_a_phone(name: str) -> None:
    chart = draw(name)
    chart.draw_without_rendering()
    drawn, (width, height) = chart.get_tightbbox(), chart.get_size_inches()
    assert 0 <= drawn.x0 <= drawn.x1 <= width == style.WIDTH
    assert 0 <= drawn.y0 <= drawn.y1 <= height
    assert min(text.get_fontsize() for text in chart.findobj(Text)) >= LEAST_POINTS


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_without_rows_gives_a_chart_that_says_so(name: str) -> None:
    chart = draw(name, FRAMES[name]().iloc[:0])
    assert chart.said == getattr(findings, name)(FRAMES[name]().iloc[:0]).title
    assert [text.get_text() for text in chart.axes[0].texts] == ["No data"]


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_of_one_row_can_be_drawn(name: str) -> None:
    draw(name, FRAMES[name]().iloc[:1]).draw_without_rendering()


@pytest.mark.parametrize("name", FRAMES)
def test_the_same_frame_gives_the_same_bytes(name: str) -> None:
    assert draw(name).png() == draw(name).png()


def test_columns_that_may_be_null_can_be_drawn() -> None:
    frame = FRAMES["guilds"]().astype({"joined": "Int64", "departed": "Int64", "members": "Int64"})
    assert draw("guilds", frame).said == draw("guilds").said


def test_names_from_outside_are_drawn_as_they_are_never_as_markup() -> None:
    frame = FRAMES["guilds"]().assign(guild=["$x^2$", r"\frac{", "龍<b>"])
    labels = [label.get_text() for label in draw("guilds", frame).axes[0].get_yticklabels()]
    assert labels == ["$x^2$", r"\frac{", "\N{REPLACEMENT CHARACTER}<b>"]
    assert draw("guilds", frame).png()


def test_two_names_that_are_cut_alike_keep_a_bar_each() -> None:
    frame = FRAMES["guilds"]().assign(guild=["x" * 60 + "1", "x" * 60 + "2", "y"])
    assert len(draw("guilds", frame).axes[0].get_yticks()) == len(frame)


def test_more_names_than_fit_are_cut_and_the_axis_says_how_many_there_are() -> None:
    frame = pd.concat([FRAMES["top_spenders"]()] * 10, ignore_index=True)
    (axes,) = draw("top_spenders", frame).axes
    assert axes.get_xlabel() == "gold spent; 15 of 30 shown"
    assert len(axes.get_yticks()) == 15


def test_no_two_ticks_of_shares_read_alike() -> None:
    for last in (20, 60, 3):
        frame = FRAMES["players_returning"]()
        (axes,) = draw("players_returning", frame.assign(returned=last, share=last / 200)).axes
        axes.figure.draw_without_rendering()
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert len(set(labels)) == len(labels) > 2


@pytest.mark.parametrize("share", [0.0, 0.25, 0.35, 0.5, 0.75, 1.0])
def test_a_share_in_the_triangle_is_read_against_its_cell(share: float) -> None:
    frame = pd.DataFrame(
        {"cohort": [pd.Timestamp("2026-01-05")], "weeks": [1], "players": [100], "returned": [0], "share": [share]}
    )
    axes = draw("retention_by_cohort", frame).axes[0]
    cell, text = axes.collections[0].get_facecolors()[0], axes.texts[0].get_color()

    assert contrast(cell, text) >= 4.5


def contrast(one: object, other: object) -> float:
    """Of two colours, as WCAG defines it."""
    dark, bright = sorted(brightness(colour) for colour in (one, other))
    return (bright + 0.05) / (dark + 0.05)


def brightness(colour: object) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_a_triangle_of_which_a_part_is_shown_says_so() -> None:
    weeks = pd.date_range("2026-01-05", periods=20, freq="7D").astype("datetime64[s]")
    rows = [(cohort, later, 9, 3, 1 / 3) for place, cohort in enumerate(weeks) for later in range(20 - place)]
    frame = pd.DataFrame(rows, columns=["cohort", "weeks", "players", "returned", "share"])
    chart = draw("retention_by_cohort", frame)
    shown = "shown: the last 12 of 20 rows, 8 of 20 columns"
    assert chart.axes[0].get_xlabel() == f"weeks after the first\n{shown}"
    chart.draw_without_rendering()
    assert 0 <= chart.get_tightbbox().x0 <= chart.get_tightbbox().x1 <= style.WIDTH
    assert draw("retention_by_cohort").axes[0].get_xlabel() == "weeks after the first"


def test_the_funnel_stands_with_its_first_step_on_top() -> None:
    (axes,) = draw("funnel").axes
    low, high = axes.get_ylim()
    assert low > high
    assert len(axes.patches) == FUNNEL_STEPS


def test_a_chart_as_the_last_line_of_a_cell_shows_itself_once_with_its_title_as_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[dict[str, object]] = []
    monkeypatch.setattr("questlog.report.chart.display", lambda data, **_: shown.append(data))
    chart = draw("funnel")
    InteractiveShell.instance().display_formatter.format(chart)
    assert [set(data) for data in shown] == [{"image/png", "text/plain"}]
    assert shown[0]["text/plain"] == chart.said

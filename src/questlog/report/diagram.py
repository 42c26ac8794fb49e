"""The flow of the data, drawn: `flow` for chapters, `save` for the README and the site.

``python -m questlog.report.diagram book/images/flow.svg`` writes the picture; the file's ending names its format.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from questlog.errors import BookError
from questlog.report import style
from questlog.report.chart import Chart, blank

BOX_WIDTH, BOX_HEIGHT = 1.62, 0.86
COLUMNS = (0.05, 1.99, 3.93)  # left edges, in inches: the picture's unit
ROWS = (3.02, 1.56, 0.1)  # lower edges; the flow runs right, then left, then right again, as wide as a phone
HEIGHT = 4.0

PLACES = {
    "load": (0, 0, "Clients", "players, or\nApache Bench"),
    "api": (1, 0, "API server", "Flask: checks\nevery event"),
    "kafka": (2, 0, "Kafka", "a topic: durable\nand ordered"),
    "stream": (2, 1, "Spark", "Structured\nStreaming"),
    "hdfs": (1, 1, "HDFS", "parquet files by\ntype and day"),
    "catalog": (0, 1, "Hive metastore", "tables and\npartitions"),
    "presto": (0, 2, "Presto", "SQL over\nthe tables"),
    "report": (1, 2, "Report", "findings and\ncharts"),
}
STAGES = tuple(PLACES)
"""Names of the stages, in the order of the flow: what `flow` takes for `here`."""

DEAD_LETTERS = (2, 2, "Dead letters", "rejected, with\nthe reason")
REFUSED = "refused: 4xx"
SAID = (
    "Data flow: clients -> API server (Flask) -> Kafka -> Spark Structured Streaming -> HDFS -> Hive metastore -> "
    "Presto -> report. The API server refuses bad requests with a 4xx; Spark puts bad records into the dead letters."
)


@style.styled
def flow(here: str | None = None) -> Chart:
    """The whole pipeline, with stage `here` marked; a cell shows it when its last line is the call.

    Raises:
        BookError: `here` is not one of `STAGES`.
    """
    if here is not None and here not in PLACES:
        raise BookError(f"the flow has no stage {here!r}; it has {', '.join(STAGES)}")
    figure = blank(HEIGHT)
    axes = _paper(figure)
    for stage, place in PLACES.items():
        _box(axes, place, marked=stage == here)
    _box(axes, DEAD_LETTERS, aside=True)
    _arrows(axes)
    figure.said = SAID if here is None else f"{SAID} We are at: {PLACES[here][2]}."
    return figure


def save(path: Path, here: str | None = None) -> None:
    """Writes the picture to `path`, in the format of its ending; the same bytes every time.

    Raises:
        BookError: `here` is not one of `STAGES`, or the ending is neither ``.svg`` nor ``.png``.
    """
    figure = flow(here)
    if path.suffix == ".png":
        path.write_bytes(figure.png())
    elif path.suffix == ".svg":
        _write_svg(figure, path)
    else:
        raise BookError(f"cannot draw to {str(path)!r}: its ending is {path.suffix!r}, not .svg or .png")


@style.styled
def _write_svg(figure: Chart, path: Path) -> None:
    unstamped = {"Date": None, "Creator": None, "Title": "The flow of the data", "Description": figure.said}
    figure.savefig(path, format="svg", metadata=unstamped)


def _paper(figure: Chart) -> Axes:
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, style.WIDTH), ylim=(0, HEIGHT))
    axes.set_axis_off()
    return axes


def _box(axes: Axes, place: tuple[int, int, str, str], *, marked: bool = False, aside: bool = False) -> None:
    column, row, name, what = place
    left, low = COLUMNS[column], ROWS[row]
    fill, edge, ink = (style.ACCENT, style.ACCENT, style.PAPER) if marked else ("#eef1f4", style.MUTED, style.INK)
    frame = FancyBboxPatch(
        (left, low),
        BOX_WIDTH,
        BOX_HEIGHT,
        boxstyle="round,pad=0,rounding_size=0.08",
        facecolor=style.PAPER if aside else fill,
        edgecolor=edge,
        linewidth=1.2,
        linestyle="--" if aside else "-",
    )
    axes.add_patch(frame)
    middle = left + BOX_WIDTH / 2
    axes.text(middle, low + 0.6, name, ha="center", color=ink, size=12.5, weight="bold")
    for line, above in zip(what.splitlines(), (0.36, 0.17), strict=True):
        axes.text(middle, low + above, line, ha="center", color=ink, size=10.5)


def _arrows(axes: Axes) -> None:
    for first, second in itertools.pairwise(STAGES):
        _arrow(axes, *_facing(PLACES[first], PLACES[second]))
    _arrow(axes, *_facing(PLACES["stream"], DEAD_LETTERS), dashed=True)
    low = ROWS[0]
    _arrow(axes, (COLUMNS[1] + 0.5, low), (COLUMNS[0] + 1.12, low), dashed=True, bend=-0.35)
    axes.text(1.83, low - 0.4, REFUSED, ha="center", va="center", size=10.5, color=style.INK)
    _arrow(axes, (COLUMNS[1] + 0.3, ROWS[1]), (COLUMNS[0] + 1.3, ROWS[2] + BOX_HEIGHT))
    axes.text(COLUMNS[1] + 0.12, 1.25, "reads the files", ha="left", va="center", size=10.5, color=style.INK)


def _facing(
    source: tuple[int, int, str, str], target: tuple[int, int, str, str]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Where an arrow leaves the one box and meets the other: side to side in a row, else downwards."""
    (column, row), (to_column, to_row) = source[:2], target[:2]
    if row == to_row:
        middle = ROWS[row] + BOX_HEIGHT / 2
        leave, meet = (BOX_WIDTH, 0.0) if to_column > column else (0.0, BOX_WIDTH)
        return (COLUMNS[column] + leave, middle), (COLUMNS[to_column] + meet, middle)
    middle = COLUMNS[column] + BOX_WIDTH / 2
    return (middle, ROWS[row]), (middle, ROWS[to_row] + BOX_HEIGHT)


def _arrow(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], *, dashed: bool = False, bend: float = 0.0
) -> None:
    arrow = FancyArrowPatch(
        start,
        end,
        arrowstyle="-|>",
        mutation_scale=13,
        shrinkA=1,
        shrinkB=1,
        color=style.ALERT if dashed else style.INK,
        linewidth=1.4,
        linestyle="--" if dashed else "-",
        connectionstyle=f"arc3,rad={bend}",
    )
    axes.add_patch(arrow)


if __name__ == "__main__":
    for target in sys.argv[1:]:
        save(Path(target))

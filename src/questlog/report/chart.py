"""A figure that shows itself in a notebook, with its title as the text for those who cannot see it."""

from __future__ import annotations

import io
import textwrap
from typing import Any

from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import EngFormatter, FuncFormatter, MaxNLocator
from PIL import Image

from questlog.report import style

TITLE_CHARACTERS = 46
SHOWN_DPI = 100
PAD_INCHES = 0.07
COLOURS = 64
NO_DATA = "No data"


class Chart(Figure):
    """A matplotlib Figure that needs no pyplot: as the last line of a cell it shows itself, once."""

    said = ""

    def say(self, text: str) -> None:
        """Sets the title, wrapped, and the text that stands for the picture."""
        self.said = text
        self.suptitle(balanced(style.legible(text)), x=0.015, ha="left", size=style.SIZE + 1.5, weight="bold")

    def png(self) -> bytes:
        """The picture, the same bytes for the same frame; of few colours, a third as large as it would be."""
        full, small = io.BytesIO(), io.BytesIO()
        self.savefig(full, format="png", dpi=style.DPI)
        Image.open(full).convert("RGB").quantize(COLOURS).save(small, format="png", optimize=True)
        return small.getvalue()

    def _ipython_display_(self) -> None:
        width, height = (round(inches * SHOWN_DPI) for inches in self.get_size_inches())
        display(  # type: ignore[no-untyped-call]  # IPython has no types
            {"image/png": self.png(), "text/plain": self.said},
            metadata={"image/png": {"width": width, "height": height}},
            raw=True,
        )


def balanced(text: str, most: int = TITLE_CHARACTERS) -> str:
    """The text in as few lines of at most `most` characters as it takes, the longest of them as short as it can be."""
    fewest = len(textwrap.wrap(text, most))
    longest = max(map(len, text.split()), default=1)
    wrapped = (textwrap.wrap(text, width) for width in range(min(longest, most), most + 1))
    return "\n".join(next((lines for lines in wrapped if len(lines) <= fewest), []))


def blank(height: float = 3.4) -> Chart:
    """A chart of the width that all share, `height` inches high, and nothing on it."""
    layout = ConstrainedLayoutEngine(w_pad=PAD_INCHES, h_pad=PAD_INCHES)
    return Chart(figsize=(style.WIDTH, height), dpi=style.DPI, layout=layout, facecolor=style.PAPER)


def chart(title: str, height: float = 3.4) -> tuple[Chart, Axes]:
    """A chart with its title and one pair of axes."""
    figure = blank(height)
    figure.say(title)
    return figure, figure.subplots()


def without_data(title: str) -> Chart:
    """What is shown where the frame is empty: the title says so, the axes stay empty."""
    figure, axes = chart(title, height=1.6)
    axes.set_axis_off()
    axes.text(0.5, 0.5, NO_DATA, ha="center", va="center", color=style.MUTED, size=style.SIZE + 2)
    return figure


def whole_numbers(axis: Any) -> None:
    """Ticks at whole numbers, with separators, and few enough for a phone: 10,000 or 250k."""
    axis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(_short))


def percents(axis: Any) -> None:
    """Ticks of shares, 0 to 1, as 25%; never rounded, so that no two read alike."""
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{round(share * 100, 6):g}%"))


def _short(number: float, _: Any) -> str:
    return f"{number:,.0f}" if abs(number) < 100_000 else EngFormatter(sep="")(number)

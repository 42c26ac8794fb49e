"""One look for every figure, and one colour for every event type.

The colours are Paul Tol's "muted" scheme (SRON technical note EPS/TN/09-002), made to stay apart in every kind of
colour blindness. A figure is `WIDTH` inches wide: on a phone, where it is 350 pixels, `SIZE` points are 10 pixels.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, TypeAlias, TypeVar

import matplotlib as mpl
import seaborn as sns
from cycler import cycler
from matplotlib import font_manager
from matplotlib.colors import to_rgb

from questlog.events import CATALOGUE, Catalogue

WIDTH = 5.6
SIZE = 12
DPI = 150
FONT = "DejaVu Sans"  # comes with matplotlib: the same on every machine
MOST_LABEL_CHARACTERS = 40

INK = "#1f2933"
MUTED = "#5f6b76"
PALE = "#dfe4e8"
PAPER = "#ffffff"
ACCENT = "#332288"
ALERT = "#882255"

MUTED_SCHEME = (
    "#88ccee",  # cyan
    "#332288",  # indigo
    "#882255",  # wine: next to teal and sand, whose lightness differs most, as the three kinds of purchase
    "#44aa99",  # teal
    "#ddcc77",  # sand
    "#117733",  # green
    "#cc6677",  # rose
    "#aa4499",  # purple
    "#999933",  # olive
)
NO_TYPE = "#bbbbbb"
HATCHES = ("", "//", "..", "xx")

Colour: TypeAlias = str | tuple[float, float, float, float]
P = ParamSpec("P")
R = TypeVar("R")


def look() -> dict[str, Any]:
    """The rcParams of the look, on top of seaborn's ``whitegrid``."""
    return {
        "text.parse_math": False,  # a guild called "$$$" is a name, not a formula
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": MUTED,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": SIZE + 1,
        "axes.labelsize": SIZE,
        "xtick.labelsize": SIZE,
        "ytick.labelsize": SIZE,
        "legend.fontsize": SIZE,
        "legend.title_fontsize": SIZE,
        "legend.frameon": False,
        "font.size": SIZE,
        "grid.color": PALE,
        "hatch.linewidth": 0.6,
        "patch.edgecolor": INK,
        "figure.figsize": (WIDTH, 3.4),
        "figure.dpi": DPI,
        "savefig.dpi": DPI,
        "svg.hashsalt": "questlog",
        "svg.fonttype": "path",
    }


def apply() -> None:
    """Gives the look to every figure drawn from now on, also by code outside this package."""
    sns.set_theme(style="whitegrid", font=FONT, rc=look())
    mpl.rcParams["axes.prop_cycle"] = cycler(color=MUTED_SCHEME)


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorator: the function draws in this look, and leaves matplotlib's settings as they were."""

    @functools.wraps(draw)
    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        with mpl.rc_context():
            apply()
            return draw(*args, **kwargs)

    return within


def colour(event_type: str, catalogue: Catalogue = CATALOGUE) -> str:
    """The event type's colour, by its place in the catalogue; grey for a type that is not in it."""
    if event_type not in catalogue:
        return NO_TYPE
    return MUTED_SCHEME[catalogue.names.index(event_type) % len(MUTED_SCHEME)]


def hatch(event_type: str, catalogue: Catalogue = CATALOGUE) -> str:
    """The hatch that tells a tenth event type from the first, whose colour it shares."""
    if event_type not in catalogue:
        return ""
    return HATCHES[catalogue.names.index(event_type) // len(MUTED_SCHEME) % len(HATCHES)]


def ink_on(paper: Colour) -> str:
    """Black or white, whichever is read more easily on a colour: the contrast is 4.5 or more on any.

    Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
    """
    behind = _luminance(paper) + 0.05
    return "#000000" if behind / 0.05 >= 1.05 / behind else "#ffffff"


def _luminance(colour: Colour) -> float:
    linear = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour))
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def label(text: object, most: int = MOST_LABEL_CHARACTERS) -> str:
    """A name from outside as a label: at most `most` characters, all of them `legible`."""
    shown = legible(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def legible(text: object) -> str:
    """The text with a replacement character for each that the font lacks."""
    return "".join(letter if ord(letter) in _glyphs() else "\N{REPLACEMENT CHARACTER}" for letter in str(text))


@functools.cache
def _glyphs() -> frozenset[int]:
    return frozenset(font_manager.get_font(font_manager.findfont(FONT)).get_charmap())

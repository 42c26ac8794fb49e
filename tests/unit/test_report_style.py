"""The one look of all figures."""

import dataclasses
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest

from questlog.events import CATALOGUE, Catalogue
from questlog.report import style

# Machado, Oliveira, Fernandes 2009: what each kind of colour blindness, complete, makes of linear RGB
SEEN_BY = {
    "everybody": np.eye(3),
    "protanopes": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopes": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopes": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
RGB_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])
APART = 15  # CIE 1976 distance; 2.3 is just noticeable


def linear(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    xyz = RGB_TO_XYZ @ np.clip(light, 0, 1) / WHITE
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("who", SEEN_BY)
def test_the_colours_of_two_event_types_stay_apart(who: str) -> None:
    seen = {name: lab(SEEN_BY[who] @ linear(style.colour(name))) for name in CATALOGUE.names}
    nearest = min(combinations(seen, 2), key=lambda pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]))
    assert np.linalg.norm(seen[nearest[0]] - seen[nearest[1]]) > APART, nearest


@pytest.mark.parametrize("kind", ["sword", "shield", "potion"])
def test_the_kinds_of_purchase_stay_apart_in_grey_print(kind: str) -> None:
    lightness = {name: lab(linear(style.colour(f"purchase_{name}")))[0] for name in ("sword", "shield", "potion")}
    others = [light for name, light in lightness.items() if name != kind]
    assert min(abs(lightness[kind] - other) for other in others) > APART


def test_a_tenth_event_type_has_a_look_of_its_own_and_changes_no_other() -> None:
    tenth = dataclasses.replace(CATALOGUE["page_view"], name="cast_spell")
    larger = Catalogue((*CATALOGUE.types, tenth))
    looks = [(style.colour(name, larger), style.hatch(name, larger)) for name in larger.names]
    assert len(set(looks)) == len(larger.names)
    assert looks[:-1] == [(style.colour(name), style.hatch(name)) for name in CATALOGUE.names]


def test_a_type_that_is_not_in_the_catalogue_is_grey() -> None:
    assert style.colour("(unknown)") == style.NO_TYPE
    assert style.hatch("(unknown)") == ""


def test_apply_sets_the_look_for_figures_drawn_by_others() -> None:
    with mpl.rc_context():
        style.apply()
        assert mpl.rcParams["font.family"] == [style.FONT]
        assert mpl.rcParams["axes.prop_cycle"].by_key()["color"] == list(style.MUTED_SCHEME)


def test_drawing_in_the_look_leaves_matplotlib_as_it_was() -> None:
    before = dict(mpl.rcParams)
    style.styled(lambda: None)()
    assert dict(mpl.rcParams) == before


def test_a_long_label_is_cut_and_signs_that_the_font_lacks_are_replaced() -> None:
    assert style.label("a" * 50, most=10) == "aaaaaaaaa…"
    assert style.label("龍 guild") == "\N{REPLACEMENT CHARACTER} guild"

"""The picture of the flow."""

from pathlib import Path

import pytest

from questlog.errors import BookError
from questlog.paths import BOOK
from questlog.report.diagram import STAGES, flow, save


@pytest.mark.parametrize("name", ["flow.svg", "flow.png"])
def test_the_committed_picture_is_the_one_the_code_draws(name: str, tmp_path: Path) -> None:
    save(tmp_path / name)
    drawn, committed = (tmp_path / name).read_bytes(), (BOOK / "images" / name).read_bytes()
    assert drawn == committed, f"draw it anew: python -m questlog.report.diagram book/images/{name}"


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_can_be_marked_and_the_text_for_the_picture_names_it(stage: str) -> None:
    marked = flow(here=stage)
    assert "We are at" in marked.said
    assert marked.png() != flow().png()


def test_an_unknown_stage_is_named_with_those_that_exist() -> None:
    with pytest.raises(BookError, match="no stage 'streem'; it has load, api, kafka, stream"):
        flow(here="streem")


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BookError, match=r"'\.gif', not \.svg or \.png"):
        save(tmp_path / "flow.gif")


def test_every_label_lies_within_the_picture() -> None:
    figure = flow()
    figure.canvas.draw()
    paper = figure.bbox
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert paper.x0 <= box.x0 <= box.x1 <= paper.x1, text.get_text()
        assert paper.y0 <= box.y0 <= box.y1 <= paper.y1, text.get_text()

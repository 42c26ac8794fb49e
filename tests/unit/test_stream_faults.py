"""Fault points: the setting is checked, and nothing happens unless it says so."""

import re
from pathlib import Path

import pytest

import questlog
from questlog.errors import SettingsError
from questlog.stream.faults import ALL_POINTS, COMPACTION_POINTS, POINTS, Faults
from questlog.stream.timings import SINK


@pytest.mark.parametrize("setting", ["prepraed", "prepared:", "prepared:x", ":3"])
def test_a_fault_point_that_there_is_not_is_refused(setting: str) -> None:
    with pytest.raises(SettingsError, match="one of begun, staging"):
        Faults(setting)


@pytest.mark.parametrize("point", ALL_POINTS)
def test_every_point_may_be_set_for_all_batches_and_for_one(point: str) -> None:
    for setting in (point, f"{point}:12"):
        assert Faults(setting).setting == setting


def test_a_batch_and_a_compaction_have_points_of_their_own() -> None:
    assert {*POINTS}.isdisjoint(COMPACTION_POINTS)
    assert {*POINTS} | {*COMPACTION_POINTS} == {*ALL_POINTS}


def test_every_point_is_one_that_the_sink_the_writer_or_a_compaction_passes() -> None:
    sources = (file.read_text() for file in Path(questlog.__file__).parent.rglob("*.py"))
    passed = {point for source in sources for point in re.findall(r'notify\("(\w+)"', source)}

    assert {*ALL_POINTS} <= passed
    assert {point for pair in SINK.values() for point in pair} <= passed


@pytest.mark.parametrize("setting", ["", "prepared:3"])
def test_a_batch_passes_every_point_that_is_not_meant(setting: str) -> None:
    faults = Faults(setting)

    for point in ALL_POINTS:
        faults(point, 2)


def test_a_file_that_names_another_point_or_is_not_there_kills_nobody(tmp_path: Path) -> None:
    armed = tmp_path / "armed"
    faults = Faults(f"@{armed}")

    faults("published", 0)
    armed.write_text("prepared")
    faults("published", 0)

    assert armed.read_text() == "prepared"

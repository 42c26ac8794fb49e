"""Where the stream may be killed: the setting is checked, and nothing happens unless it says so."""

from pathlib import Path

import pytest

from questlog.errors import SettingsError
from questlog.stream.faults import POINTS, Faults


@pytest.mark.parametrize("setting", ["sealde", "sealed:", "sealed:x", ":3"])
def test_a_fault_point_that_there_is_not_is_refused(setting: str) -> None:
    with pytest.raises(SettingsError, match="one of begun, staging"):
        Faults(setting)


@pytest.mark.parametrize("setting", ["", "sealed:3"])
def test_a_batch_passes_every_point_that_is_not_meant(setting: str) -> None:
    faults = Faults(setting)

    for point in POINTS:
        faults.pass_by(point, 2)


def test_a_file_that_names_another_point_or_is_not_there_kills_nobody(tmp_path: Path) -> None:
    armed = tmp_path / "armed"
    faults = Faults(f"@{armed}")

    faults.pass_by("moved", 0)
    armed.write_text("sealed")
    faults.pass_by("moved", 0)

    assert armed.read_text() == "sealed"

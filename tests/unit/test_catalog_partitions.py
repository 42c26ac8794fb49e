"""Which partitions the metastore lacks, and which version of each it is told."""

from datetime import date
from unittest.mock import Mock

import pytest

from questlog.catalog import partitions
from questlog.errors import LakeError
from questlog.lake.hdfs import Hdfs
from questlog.settings import Settings

SETTINGS = Settings.load(namespace="shop")
EVENTS = "/warehouse/shop/events"
MONDAY, TUESDAY = "event_date=2026-01-05", "event_date=2026-01-06"


def hdfs_with(monkeypatch: pytest.MonkeyPatch, **versions: list[str]) -> Hdfs:
    """HDFS whose folders of table ``events`` hold these versions."""
    folders = {EVENTS: [f"{EVENTS}/{name}" for name in versions]}
    folders |= {f"{EVENTS}/{name}": [f"{EVENTS}/{name}/{each}" for each in found] for name, found in versions.items()}
    hdfs = Hdfs(SETTINGS)
    monkeypatch.setattr(hdfs, "folders", lambda folder: folders.get(folder, []))
    monkeypatch.setattr(partitions, "Hdfs", lambda _: hdfs)
    return hdfs


@pytest.fixture
def metastore(monkeypatch: pytest.MonkeyPatch) -> Mock:
    """A metastore that knows Monday's partition."""
    made = Mock(locations=Mock(return_value={MONDAY: f"{EVENTS}/{MONDAY}/v000000-000000"}))
    monkeypatch.setattr(partitions, "Metastore", lambda _: made)
    return made


def test_a_day_that_the_metastore_lacks_is_announced_with_its_newest_version(
    metastore: Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hdfs_with(
        monkeypatch, **{MONDAY: ["v000001-000002"], TUESDAY: ["v000000-000000", "v000002-000009", "v000010-000001"]}
    )

    assert partitions.announce(SETTINGS) == [date(2026, 1, 6)]

    metastore.add.assert_called_once_with("events", {TUESDAY: f"{EVENTS}/{TUESDAY}/v000010-000001"})


def test_a_day_without_a_version_is_not_announced(metastore: Mock, monkeypatch: pytest.MonkeyPatch) -> None:
    hdfs_with(monkeypatch, **{MONDAY: ["v000000-000000"], TUESDAY: []})

    assert partitions.announce(SETTINGS) == []

    metastore.add.assert_not_called()


@pytest.mark.parametrize("name", ["event_type=join_guild", "event_date=soon", "backup"])
def test_a_folder_that_is_no_partition_is_refused_and_nothing_is_announced(
    metastore: Mock, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    hdfs_with(monkeypatch, **{TUESDAY: ["v000000-000000"], name: ["v000000-000000"]})

    with pytest.raises(LakeError, match=f"'{name}' is not event_date="):
        partitions.announce(SETTINGS)

    metastore.add.assert_not_called()


def test_a_table_without_partitions_lies_in_its_newest_version_if_it_has_any(monkeypatch: pytest.MonkeyPatch) -> None:
    hdfs = hdfs_with(monkeypatch, **{MONDAY: ["v000000-000000", "v000001-000001"]})

    assert partitions.newest_version(hdfs, f"{EVENTS}/{MONDAY}") == f"{EVENTS}/{MONDAY}/v000001-000001"
    assert partitions.newest_version(hdfs, "/warehouse/shop/batches") is None

"""Damage to a checkpoint is undone afterwards, unless the stream has mended it in the meantime."""

import pytest

from questlog.faults.checkpoint import Checkpoint
from questlog.lake.hdfs import Hdfs
from questlog.settings import Settings

PLANNED, PLANNED_ANEW = b"v1\n{}\nwhere batch 10 ends", b"v1\n{}\nwhere batch 10 ends when it is planned anew"


@pytest.fixture
def hdfs(fresh: Settings) -> Hdfs:
    found = Hdfs(fresh)
    for batch in (9, 10):
        found.write(f"{fresh.checkpoint}/offsets/{batch}", PLANNED)
    return found


def test_the_newest_offsets_are_whole_again_after_the_block(fresh: Settings, hdfs: Hdfs) -> None:
    with Checkpoint(fresh).truncated_offsets() as path:
        assert path.endswith("/offsets/10")
        assert PLANNED.startswith(hdfs.read(path))
        assert hdfs.read(path) != PLANNED

    assert hdfs.read(path) == PLANNED


def test_offsets_that_the_stream_has_planned_anew_stay(fresh: Settings, hdfs: Hdfs) -> None:
    with Checkpoint(fresh).truncated_offsets() as path:
        hdfs.write(path, PLANNED_ANEW)

    assert hdfs.read(path) == PLANNED_ANEW

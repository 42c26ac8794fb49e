"""Damage to a checkpoint is undone afterwards, unless the stream has mended it in the meantime."""

import pytest
from fsspec.implementations.webhdfs import WebHDFS

from questlog.catalog import files
from questlog.faults.checkpoint import Checkpoint
from questlog.settings import Settings

PLANNED, PLANNED_ANEW = b"v1\n{}\nwhere batch 10 ends", b"v1\n{}\nwhere batch 10 ends when it is planned anew"


@pytest.fixture
def hdfs(fresh: Settings) -> WebHDFS:
    system = files.filesystem(fresh)
    for batch in (9, 10):
        system.pipe_file(f"{fresh.checkpoint}/offsets/{batch}", PLANNED)
    return system


def test_the_newest_offsets_are_whole_again_after_the_block(fresh: Settings, hdfs: WebHDFS) -> None:
    with Checkpoint(fresh).truncated_offsets() as path:
        assert path.endswith("/offsets/10")
        assert PLANNED.startswith(hdfs.cat_file(path))
        assert hdfs.cat_file(path) != PLANNED

    assert hdfs.cat_file(path) == PLANNED


def test_offsets_that_the_stream_has_planned_anew_stay(fresh: Settings, hdfs: WebHDFS) -> None:
    with Checkpoint(fresh).truncated_offsets() as path:
        hdfs.rm(path)
        hdfs.pipe_file(path, PLANNED_ANEW)

    assert hdfs.cat_file(path) == PLANNED_ANEW

"""Files of Spark's checkpoint are read whole, or not at all."""

import pytest

from questlog.stream.checkpoint import read_commit, read_offsets

OFFSETS = b'v1\n{"batchWatermarkMs":0,"conf":{}}\n{"game_events":{"0":3,"11":70}}'
COMMIT = b'v1\n{"nextBatchWatermarkMs":0}'


def test_offsets_are_numbers_by_topic_and_partition() -> None:
    assert read_offsets(OFFSETS) == {"game_events": {0: 3, 11: 70}}


@pytest.mark.parametrize("length", range(len(OFFSETS)))
def test_no_part_of_a_file_of_offsets_passes_for_the_whole(length: int) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_offsets(OFFSETS[:length])


@pytest.mark.parametrize("length", range(len(COMMIT)))
def test_no_part_of_a_commit_passes_for_the_whole(length: int) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_commit(COMMIT[:length])


@pytest.mark.parametrize(
    "content", [b"v2\n{}\n{}", b"v1\n{}\n{}\n{}", b"v1\n{}\n[]", b'v1\n{}\n{"t":[1]}', b"\xff\xfe"]
)
def test_what_spark_does_not_write_is_no_file_of_offsets(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_offsets(content)

"""Which files a compaction merges."""

from hypothesis import given
from hypothesis import strategies as st

from questlog.catalog import compaction
from questlog.lake import layout
from questlog.lake.hdfs import Entry


def of_sizes(*sizes: int) -> list[Entry]:
    return [Entry(f"/{place}", False, size, 0) for place, size in enumerate(sizes)]


def sizes(groups: list[list[Entry]]) -> list[list[int]]:
    return [[file.bytes for file in group] for group in groups]


def test_neighbours_go_together_up_to_the_size_that_is_wanted() -> None:
    assert sizes(compaction.groups(of_sizes(40, 40, 30, 40), 100)) == [[40, 40], [30, 40]]


def test_a_file_of_half_the_size_and_more_stays_as_it_is() -> None:
    assert sizes(compaction.groups(of_sizes(10, 50, 500, 10), 100)) == [[10, 10]]


def test_a_small_file_without_a_neighbour_stays_as_it_is() -> None:
    assert compaction.groups(of_sizes(10, 200), 100) == []
    assert compaction.groups([], 100) == []


@given(st.lists(st.integers(1, 150)))
def test_a_file_is_in_one_group_at_most_and_no_group_is_larger_than_wanted(given_sizes: list[int]) -> None:
    files = of_sizes(*given_sizes)

    found = compaction.groups(files, 100)

    merged = [file for group in found for file in group]
    assert merged == [file for file in files if file in merged]
    assert all(sum(file.bytes for file in group) <= 100 and len(group) > 1 for group in found)


def test_of_the_audits_each_stream_s_newest_batch_is_left_out_by_its_number() -> None:
    names = ["part-a-9.parquet", "part-a-10.parquet", "part-b-0.parquet", "merged-1-0.parquet"]
    assert compaction.mergeable_audits(names) == {"part-a-9.parquet", "merged-1-0.parquet"}


def test_what_a_replay_added_to_the_audits_may_be_merged() -> None:
    assert compaction.mergeable_audits(["replay-0123456789ab.parquet"]) == {"replay-0123456789ab.parquet"}


@given(st.sets(st.tuples(st.sampled_from(["0a1b2c3d", "4e5f6a7b"]), st.integers(0, 10**6))))
def test_after_any_merge_the_newest_batch_of_each_stream_is_still_known(batches: set[tuple[str, int]]) -> None:
    names = {layout.audit_name(layout.batch_name(*batch)) for batch in batches}

    kept = names - compaction.mergeable_audits(names)

    streams = {stream for stream, _ in batches}
    newest = [(stream, max(batch for owner, batch in batches if owner == stream)) for stream in streams]
    assert kept == {layout.audit_name(layout.batch_name(*batch)) for batch in newest}

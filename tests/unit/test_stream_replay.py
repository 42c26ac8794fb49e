"""Replay, without servers: the pieces of the topic, and the correction of the audit."""

import pyarrow as pa

from questlog.stream.replay import corrected, ranges
from questlog.stream.transforms import OUTCOMES

NOBODY = pa.table({"event_type": pa.array([], pa.string())})


def of(landed: int = 0, filtered: int = 0, rejected: int = 0, duplicates: int = 0) -> dict[str, int]:
    return dict(zip(OUTCOMES, (landed, filtered, rejected, duplicates), strict=True))


def letters(*types: str) -> pa.Table:
    return pa.table({"event_type": pa.array(types, pa.string())})


def test_the_topic_is_read_in_pieces_that_leave_nothing_out_and_have_nothing_twice() -> None:
    first, end = {0: 3, 1: 0, 2: 5}, {0: 10, 1: 2, 2: 5}
    seen: dict[int, list[int]] = {0: [], 1: [], 2: []}

    for piece in ranges(first, end, most=4):
        assert sum(stop - begin for begin, stop in piece.values()) <= 4
        for number, (begin, stop) in piece.items():
            seen[number].extend(range(begin, stop))

    assert seen == {0: [*range(3, 10)], 1: [0, 1], 2: []}


def test_an_empty_topic_has_no_piece() -> None:
    assert list(ranges({0: 7}, {0: 7})) == []


def test_a_partition_of_which_kafka_says_no_beginning_begins_at_0() -> None:
    assert list(ranges({}, {4: 2})) == [{4: (0, 2)}]


def test_types_that_are_rebuilt_are_corrected_by_the_difference() -> None:
    added = corrected({"a": of(landed=7, duplicates=1)}, {"a": of(landed=5, rejected=3), "b": of(9)}, ("a",), NOBODY)
    assert added == {"a": of(landed=2, rejected=-3, duplicates=1)}


def test_a_rebuilt_type_that_has_no_record_any_more_loses_its_sums() -> None:
    assert corrected({}, {"a": of(landed=5)}, ("a",), NOBODY) == {"a": of(landed=-5)}


def test_letters_that_leave_the_table_are_taken_off_the_type_under_which_they_were() -> None:
    added = corrected({"a": of(landed=2)}, {}, ("a",), letters("unknown", "unknown", "a"))
    assert added == {"a": of(landed=2), "unknown": of(rejected=-2)}


def test_when_the_dead_letters_are_replayed_the_sums_stay_and_what_is_valid_now_moves() -> None:
    added = corrected({"a": of(landed=1, rejected=1)}, {"a": of(landed=5, rejected=2)}, (), letters("a", "a"))
    assert added == {"a": of(landed=1, rejected=-1)}

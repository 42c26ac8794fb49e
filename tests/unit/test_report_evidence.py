"""Intervals, and the words for small samples."""

import pytest

from questlog.report.evidence import Share, counts_differ, means_differ, percent, shares_differ, stands_out, sureness


def test_the_interval_is_wilsons() -> None:
    low, high = Share(10, 20).interval
    assert (round(low, 4), round(high, 4)) == (0.2993, 0.7007)  # Brown, Cai, DasGupta 2001


def test_an_interval_of_nothing_is_everything() -> None:
    assert Share(0, 0).interval == (0.0, 1.0)
    assert Share(0, 0).value == 0


def test_an_interval_stays_within_0_and_1() -> None:
    assert Share(0, 5).interval[0] == 0
    assert Share(5, 5).interval[1] == 1


def test_shares_differ_only_with_enough_behind_them() -> None:
    assert shares_differ(Share(60, 100), Share(30, 100))
    assert not shares_differ(Share(6, 10), Share(3, 10))
    assert not shares_differ(Share(1, 1), Share(0, 0))
    assert not shares_differ(Share(5, 5), Share(7, 7))


def test_who_looks_through_many_shares_needs_a_larger_difference() -> None:
    assert shares_differ(Share(42, 100), Share(27, 100))
    assert not shares_differ(Share(42, 100), Share(27, 100), tries=10)


def test_the_highest_of_even_counts_does_not_stand_out() -> None:
    assert not stands_out(41, [30] * 23 + [41])
    assert stands_out(60, [30] * 23 + [60])
    assert not stands_out(0, [0, 0])


def test_counts_differ_by_more_than_chance() -> None:
    assert counts_differ(100, 60)
    assert not counts_differ(10, 6)
    assert not counts_differ(0, 0)


def test_means_differ_by_more_than_their_errors() -> None:
    assert means_differ([10, 11, 12, 11], [20, 21, 22, 21])
    assert not means_differ([10, 20, 30, 20], [12, 22, 32, 22])
    assert not means_differ([1, 2], [100, 200, 300, 200])


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0%"), (0.001, "under 1%"), (0.384, "38%"), (0.998, "over 99%"), (1, "100%")],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(share: float, text: str) -> None:
    assert percent(share) == text


def test_sureness_grows_with_the_count() -> None:
    assert [sureness(count, "players").split(":")[0] for count in (12, 120, 1200)] == ["Low", "Medium", "High"]

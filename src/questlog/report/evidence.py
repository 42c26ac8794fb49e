"""How much a number can carry: intervals of shares and counts, and the words for small samples.

Everything in a report is counted, not sampled. The question behind an interval is another one: would the next players,
behaving alike, give about the same number?
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import pandas as pd

SURE = 0.95
"""How often a difference that is called one is not just chance."""
Z = NormalDist().inv_cdf((1 + SURE) / 2)
"""Quantile of the normal distribution: 1.96."""
ERRORS, FEWEST_VALUES = 2.5, 4
FEWEST = 10
"""Fewer cases than this never stand out, whatever their share."""
SMALL = 30
"""Fewer observations than this are called a small sample."""
LARGE = 300
"""From this many on a share is known to a few points in a hundred."""
VOWELS = set("aeiou")
MINUS = "\N{MINUS SIGN}"


class Share(NamedTuple):
    """`part` of `whole`, both counts."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """0 to 1; 0 for a whole of nothing."""
        return self.part / self.whole if self.whole else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of 95 in 100; 0 to 1 for a whole of nothing."""
        return self.wilson(Z)

    def wilson(self, z: float) -> tuple[float, float]:
        """Wilson's score interval (E. B. Wilson, 1927) of so many standard errors; 0 to 1 for a whole of nothing."""
        if not self.whole:
            return 0.0, 1.0
        n, p, square = self.whole, self.value, z * z
        middle = (p + square / (2 * n)) / (1 + square / n)
        reach = z / (1 + square / n) * math.sqrt(p * (1 - p) / n + square / (4 * n * n))
        low, high = max(0.0, middle - reach), min(1.0, middle + reach)
        return 0.0 if self.part == 0 else low, 1.0 if self.part == n else high

    def __str__(self) -> str:
        return f"{percent(self.value)} ({self.part:,} of {self.whole:,})"


def percent(share: float) -> str:
    """38%; a share that is there but rounds to nothing is "under 1%", one that lacks little is "over 99%"."""
    if 0 < share < 0.005:
        return "under 1%"
    if 0.995 <= share < 1:
        return "over 99%"
    return f"{share:.0%}"


def shares_differ(first: Share, second: Share, tries: int = 1) -> bool:
    """Whether two shares differ by more than chance makes of equal ones, in 95 of 100 cases.

    The two-proportion z-test with Yates's correction; `tries` is how many such comparisons are looked through for one
    that differs (Bonferroni). False when either is a share of nothing.
    """
    if not first.whole or not second.whole:
        return False
    both = Share(first.part + second.part, first.whole + second.whole).value
    inverse = 1 / first.whole + 1 / second.whole
    least = NormalDist().inv_cdf(1 - (1 - SURE) / (2 * tries)) * math.sqrt(both * (1 - both) * inverse)
    return abs(first.value - second.value) - inverse / 2 > least


def stands_out(count: int, counts: Sequence[int]) -> bool:
    """Whether a count is above the mean of all `counts` by more than chance makes of equal ones (Poisson).

    A count below `FEWEST` never does: for those the normal distribution is no match.
    """
    mean = sum(counts) / len(counts)
    return count >= FEWEST and count - mean > NormalDist().inv_cdf(1 - (1 - SURE) / len(counts)) * math.sqrt(mean)


def counts_differ(first: int, second: int) -> bool:
    """Whether two counts over equal spans differ by more than chance makes of equal ones (Poisson, 95 in 100)."""
    return abs(first - second) > Z * math.sqrt(first + second)


def means_differ(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether two means differ by more than `ERRORS` standard errors (Welch); False with too few values."""
    if min(len(first), len(second)) < FEWEST_VALUES:
        return False
    one, two = pd.Series(first, dtype=float), pd.Series(second, dtype=float)
    error = math.sqrt(one.var() / len(one) + two.var() / len(two))
    return bool(abs(one.mean() - two.mean()) > ERRORS * error)


def counted(count: int, one: str, many: str = "") -> str:
    """1 player, 1,200 players: the word for `one`, and for `many` where an s does not make it."""
    return f"{count:,} {one}" if count == 1 else f"{count:,} {many or one + 's'}"


def listed(words: Sequence[str], joint: str = "and") -> str:
    """a; a and b; a, b and c."""
    *others, last = words
    return f"{', '.join(others)} {joint} {last}" if others else last


def with_article(name: str) -> str:
    """A potion, an iron sword."""
    return f"{'an' if name[:1].lower() in VOWELS else 'a'} {name}"


def often(level: float, what: str = "cases") -> str:
    """How often an interval of this level holds the truth: in 95 of 100 cases, in 99.4 of 100 cases."""
    return f"in {round(level * 100, 1):g} of 100 {what}"


def between(low: float, high: float, level: float) -> str:
    """Where a difference of two shares would lie, from its interval and how often such ones hold: +9 to +31 points."""
    ends = f"{points(low)} and {points(high)} points"
    return f"With many more of them the difference would lie between {ends}, {often(level)}."


def within(share: Share, of: str, what: str) -> str:
    """Where a share would lie for more cases, `of` them: between 58% and 65%."""
    low, high = share.interval
    return f"For more such {of} {what} would lie between {low:.0%} and {high:.0%}, {often(SURE)}."


def points(difference: float) -> str:
    """A difference of two shares in points, with its sign, which is no hyphen: +0, +9."""
    return f"{round(difference * 100):+d}".replace("-", MINUS)


def sureness(count: int, what: str, *, differ: bool = True) -> str:
    """How sure we are, from how many observations there are: ``Low: 12 players are a small sample ...``.

    Args:
        differ: whether the finding is a difference, or a share; False where it is that none is clear.
    """
    if count == 1:
        return "Low: a single case tells almost nothing."
    if count < SMALL:
        return f"Low: {count:,} {what} are a small sample, a few more can turn it."
    if count < LARGE:
        enough = (
            "show about how much it is, not exactly" if differ else "would show a large difference, not a small one"
        )
        return f"Medium: {count:,} {what} {enough}."
    return f"High: {count:,} {what} are many{'' if differ else ': only a small difference could hide'}."

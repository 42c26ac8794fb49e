"""Random draws one at a time, taken from NumPy in blocks: a scalar draw from a Generator costs ten times as much."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np

T = TypeVar("T")
BLOCK = 8192


class Dice:
    """Draws from one seeded generator; the same calls in the same order give the same draws."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._units = _blocks(rng, "random")
        self._normals = _blocks(rng, "standard_normal")

    def unit(self) -> float:
        """Uniform in [0, 1)."""
        return next(self._units)

    def normal(self) -> float:
        """Standard normal."""
        return next(self._normals)

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return next(self._units) < probability

    def below(self, count: int) -> int:
        """Uniform among 0 .. count - 1."""
        return int(next(self._units) * count)

    def of(self, options: Sequence[T]) -> T:
        """Any of the options, each as likely."""
        return options[int(next(self._units) * len(options))]

    def weighted(self, options: Sequence[T], weights: Sequence[float]) -> T:
        """One of the options, by weight; weights are 0 or more, their sum is more than 0."""
        reached = list(accumulate(weights))
        return options[bisect_right(reached, next(self._units) * reached[-1], hi=len(reached) - 1)]


def _blocks(rng: np.random.Generator, method: str) -> Iterator[float]:
    while True:
        yield from getattr(rng, method)(BLOCK).tolist()

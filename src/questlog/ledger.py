"""The ledger: what became of the events, for each event type, told by independent witnesses.

=============  =====================================================================================
column         who says so
=============  =====================================================================================
accepted       the API's counters: requests answered with 2xx, counted after Kafka's acknowledgement
in_kafka       the topic itself, read from end to end
from_api       of these, the events that carry the API's mark; the others came from elsewhere
landed         the parquet files' own footers, read from HDFS without Presto
filtered       the audit (table ``batches``): types that it was told not to land
rejected       the dead letters' parquet footers
duplicates     the audit: events that have landed already, sent again with their ``event_id``
in_presto      ``SELECT count(*)`` of table ``events``
distinct       distinct ``event_id`` that Presto sees in it
=============  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Line:
    """The counts of one event type."""

    event_type: str
    accepted: int = 0
    in_kafka: int = 0
    from_api: int = 0
    landed: int = 0
    filtered: int = 0
    rejected: int = 0
    duplicates: int = 0
    in_presto: int = 0
    distinct: int = 0

    @property
    def problems(self) -> Iterator[str]:
        """Each sentence says which promise is broken, with the counts."""
        name, settled = self.event_type, self.landed + self.filtered + self.rejected + self.duplicates
        if self.accepted > self.from_api:
            yield f"{name}: the API accepted {self.accepted}, Kafka has {self.from_api} of them: events are lost"
        if self.in_kafka > settled:
            missing = f"{self.in_kafka - settled} of {self.in_kafka} in Kafka are in no table"
            yield f"{name}: {missing}: run `questlog stream`, and if it lands nothing, `questlog replay events`"
        if self.in_kafka < settled:
            yield f"{name}: {settled} settled, but Kafka has only {self.in_kafka}: landed twice, or the topic was cut"
        if self.in_presto != self.landed:
            yield f"{name}: files hold {self.landed} rows, Presto sees {self.in_presto}: run `questlog catalog`"
        if self.distinct != self.in_presto:
            yield f"{name}: Presto sees {self.in_presto} rows of {self.distinct} events: some are there twice"


COUNTS = tuple(field.name for field in fields(Line))[1:]


@dataclass(frozen=True)
class Ledger:
    """All lines, in the catalogue's order, records of no known type last."""

    lines: tuple[Line, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """Why it does not balance; empty when it does."""
        return tuple(problem for line in self.lines for problem in line.problems)

    @property
    def balances(self) -> bool:
        """Whether every line does."""
        return not self.problems

    @property
    def unanswered(self) -> int:
        """Events that Kafka has, though their sender was not told so: an answer that was lost on its way."""
        return sum(line.from_api - line.accepted for line in self.lines)

    def total(self, count: str) -> int:
        """The sum of one of `COUNTS`."""
        return sum(getattr(line, count) for line in self.lines)

    def frame(self) -> pd.DataFrame:
        """One row an event type, and their sum: event_type (text) and `COUNTS` (int64)."""
        rows = [astuple(line) for line in self.lines]
        sums = ("total", *(self.total(count) for count in COUNTS))
        return pd.DataFrame([*rows, sums], columns=["event_type", *COUNTS])


def balance(event_types: Iterable[str], counts: Mapping[str, Mapping[str, int]]) -> Ledger:
    """The ledger of what the witnesses counted: `counts` maps each of `COUNTS` to its number for each event type."""
    lines = (Line(event_type=name, **{count: counts[count].get(name, 0) for count in COUNTS}) for name in event_types)
    return Ledger(tuple(lines))

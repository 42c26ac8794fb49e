"""Deduplication: an event that is sent again stays one row, and an id with other content is a conflict."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from questlog.errors import StreamRefused
from questlog.events import CATALOGUE
from questlog.settings import Settings
from questlog.stream import dedup
from questlog.stream.dedup import IDENTITY, DedupIndex
from questlog.stream.transforms import FILTERED, OUTCOMES, REJECTED

RECEIVED = 1_767_607_200_000
HAPPENED = RECEIVED - 5_000
MOST = 1_000_000

Row = dict[str, Any]


def record(
    id_: int, content: int = 1, offset: int = 0, *, happened: int = HAPPENED, received: int = RECEIVED, **other: object
) -> Row:
    identity = dict(zip(IDENTITY, (id_, content, happened, received), strict=True))
    place = {"partition": 0, "offset": offset, "position": 0}
    return {"event_type": "page_view", "outcome": "landed", **place, **identity, **other}


def outcomes(records: list[Row], index: DedupIndex | None = None) -> list[str]:
    known = DedupIndex(MOST) if index is None else index
    return dedup.with_duplicates(pa.Table.from_pylist(records), known)["outcome"].to_pylist()


def entries(records: Iterable[Row]) -> dedup.Entries:
    return dedup.entries(pa.Table.from_pylist(list(records)))


def index_of(*records: Row, most: int = MOST) -> DedupIndex:
    return DedupIndex(most, entries(records))


def test_events_with_ids_of_their_own_land() -> None:
    assert outcomes([record(1, offset=0), record(2, offset=1)]) == ["landed", "landed"]


def test_the_first_of_an_id_lands_wherever_it_stands_in_the_batch() -> None:
    assert outcomes([record(1, offset=9), record(1, offset=3), record(1, offset=5)]) == [
        "duplicates",
        "landed",
        "duplicates",
    ]


def test_of_events_in_one_record_the_first_lands() -> None:
    assert outcomes([record(1, position=2), record(1, position=0), record(1, position=1)]) == [
        "duplicates",
        "landed",
        "duplicates",
    ]


def test_an_id_with_other_content_is_in_conflict_with_the_first() -> None:
    batch = [record(1, content=1, offset=0), record(1, content=2, offset=1), record(1, content=1, offset=2)]
    assert outcomes(batch) == ["landed", "conflict", "duplicates"]


def test_an_event_that_landed_in_an_earlier_batch_is_a_duplicate() -> None:
    assert outcomes([record(1), record(2)], index_of(record(1))) == ["duplicates", "landed"]


def test_what_landed_in_an_earlier_batch_decides_what_is_a_conflict() -> None:
    batch = [record(1, content=2, offset=0), record(1, content=1, offset=1)]
    assert outcomes(batch, index_of(record(1, content=1))) == ["conflict", "duplicates"]


def test_an_event_time_that_the_client_gave_is_part_of_the_content() -> None:
    assert outcomes([record(1, offset=0), record(1, offset=1, happened=HAPPENED - 1)]) == ["landed", "conflict"]


def test_a_time_of_receipt_is_not_part_of_the_content() -> None:
    later = RECEIVED + 60_000
    first = record(1, happened=RECEIVED, received=RECEIVED)
    assert outcomes([record(1, happened=later, received=later)], index_of(first)) == ["duplicates"]


def test_an_event_time_that_happens_to_be_that_of_receipt_is_no_conflict() -> None:
    first = record(1, happened=RECEIVED, received=RECEIVED)
    assert outcomes([record(1, happened=RECEIVED, received=RECEIVED + 900)], index_of(first)) == ["duplicates"]


@pytest.mark.parametrize("outcome", [FILTERED, REJECTED])
def test_events_that_do_not_land_keep_their_outcome_and_make_no_other_a_duplicate(outcome: str) -> None:
    nothing = {**dict.fromkeys(IDENTITY), "outcome": outcome}
    assert outcomes([{**record(1, offset=0), **nothing}, record(1, offset=1)]) == [outcome, "landed"]


def test_a_batch_in_which_nothing_lands_keeps_its_outcomes() -> None:
    assert outcomes([{**record(1), **dict.fromkeys(IDENTITY), "outcome": REJECTED}]) == [REJECTED]


def test_the_records_of_some_outcomes_are_picked_in_their_order() -> None:
    table = pa.table({"outcome": ["landed", "conflict", "duplicates", "landed"], "offset": [0, 1, 2, 3]})
    assert dedup.of_outcome(table, ["conflict", "landed"])["offset"].to_pylist() == [0, 1, 3]


def test_however_events_are_added_every_one_is_found_and_no_other() -> None:
    rng = random.Random(1)
    ids = list({rng.getrandbits(64) - 2**63 for _ in range(3_000)})
    index, rest = DedupIndex(MOST), ids[:2_000]
    while rest:
        size = rng.randint(1, 300)
        index.add(entries(record(id_, content=id_ // 2) for id_ in rest[:size]))
        rest = rest[size:]

    found, named = index.find(np.array(ids))

    assert found.tolist() == [True] * 2_000 + [False] * 1_000
    assert named["content"][:2_000].tolist() == [id_ // 2 for id_ in ids[:2_000]]
    assert len(index) == 2_000


def test_an_entry_takes_the_bytes_that_the_ceiling_is_computed_with() -> None:
    assert entries([record(1)]).nbytes == dedup.ENTRY_BYTES == 32


def test_an_event_that_was_received_before_the_horizon_has_expired() -> None:
    index = index_of(record(1, received=RECEIVED - 1), record(2, received=RECEIVED))

    index.expire(RECEIVED)

    assert outcomes([record(1), record(2)], index) == ["landed", "duplicates"]


def test_an_expired_event_that_landed_again_is_found_again_however_it_was_added() -> None:
    again = record(1, content=2, received=RECEIVED)
    together = index_of(again, record(1, received=RECEIVED - 1))
    apart = index_of(record(1, received=RECEIVED - 1))
    apart.expire(RECEIVED)
    apart.add(entries([again]))
    together.expire(RECEIVED)

    for index in (together, apart):
        assert outcomes([record(1, content=2, offset=0), record(1, content=1, offset=1)], index) == [
            "duplicates",
            "conflict",
        ]
    assert len(apart) == 1


def test_the_horizon_lies_the_days_of_the_setting_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: RECEIVED / 1000)
    assert dedup.horizon(Settings.load(dedup_days=1.5)) == RECEIVED - 36 * 3_600_000
    assert dedup.horizon(Settings.load(dedup_days=0)) == RECEIVED


@pytest.mark.parametrize(("folders", "days"), [([], 7), (["/warehouse/shop/events/event_date=2026-01-05/v"], 0)])
def test_without_partitions_or_days_nothing_is_read(folders: list[str], days: float) -> None:
    no_spark: Any = None
    assert len(dedup.load(no_spark, Settings.load(dedup_days=days), folders, CATALOGUE)) == 0


def test_an_index_that_would_grow_beyond_its_ceiling_is_refused_with_what_to_do() -> None:
    index = DedupIndex(1_000, entries(map(record, range(999))))

    with pytest.raises(
        StreamRefused, match=r"would hold 1,001 events .*allows 1,000.*QUESTLOG_DEDUP_EVENTS"
    ) as refused:
        index.add(entries([record(1_000), record(1_001)]))

    assert "QUESTLOG_DEDUP_DAYS" in str(refused.value)


def test_a_table_with_more_events_than_the_ceiling_is_refused_at_the_start() -> None:
    with pytest.raises(StreamRefused, match=r"would hold 1,001 events \(0 MB\).*QUESTLOG_DEDUP_EVENTS"):
        DedupIndex(1_000, entries(map(record, range(1_001))))


def test_an_index_that_is_exactly_full_still_finds_what_it_holds() -> None:
    index = DedupIndex(100, entries(map(record, range(100))))

    with pytest.raises(StreamRefused):
        index.add(entries([record(100)]))

    assert outcomes([record(id_, offset=id_) for id_ in range(100)], index) == ["duplicates"] * 100


def test_duplicates_take_no_room_in_a_full_index() -> None:
    index = index_of(record(1), most=1)
    table = dedup.with_duplicates(pa.Table.from_pylist([record(1)] * 3), index)

    index.add(dedup.entries(dedup.of_outcome(table, ["landed"])))

    assert len(index) == 1


def test_expired_events_make_room_in_a_full_index() -> None:
    index = index_of(record(1, received=RECEIVED - 1), record(2, received=RECEIVED), most=2)
    index.expire(RECEIVED)

    index.add(entries([record(3)]))

    assert len(index) == 2
    assert outcomes([record(1, offset=0), record(2, offset=1), record(3, offset=2)], index) == [
        "landed",
        "duplicates",
        "duplicates",
    ]


@dataclass
class Model:
    """What deduplication promises, as one plain dictionary: the event that landed under each id."""

    landed: dict[int, Row] = field(default_factory=dict)
    horizon: float = 0

    def outcomes(self, batch: list[Row]) -> list[str]:
        """The outcomes of a batch, whose landing events are remembered afterwards."""
        first, found = {id_: row for id_, row in self.landed.items() if row["received"] >= self.horizon}, {}
        for place in sorted(range(len(batch)), key=lambda place: _place(batch[place])):
            row = batch[place]
            found[place] = row["outcome"]
            if row["outcome"] != "landed":
                continue
            if before := first.get(row["id"]):
                found[place] = "duplicates" if _is_same(before, row) else "conflict"
            else:
                first[row["id"]] = self.landed[row["id"]] = row
        return [found[place] for place in range(len(batch))]


def _place(row: Row) -> tuple[int, int, int]:
    return row["offset"], row["partition"], row["position"]


def _is_same(one: Row, other: Row) -> bool:
    stamped = any(row["happened"] == row["received"] for row in (one, other))
    return one["content"] == other["content"] and (stamped or one["happened"] == other["happened"])


def assert_the_model_agrees(batches: list[tuple[float, list[Row]]]) -> Counter[str]:
    """Give each batch, after its horizon, to the index and to the model; the outcomes of all."""
    index, model, counted = DedupIndex(MOST), Model(), Counter[str]()
    for horizon, batch in batches:
        model.horizon = max(model.horizon, horizon)
        index.expire(model.horizon)
        done = dedup.with_duplicates(pa.Table.from_pylist(batch), index)
        index.add(dedup.entries(dedup.of_outcome(done, ["landed"])))

        assert done["outcome"].to_pylist() == model.outcomes(batch)
        assert done.drop_columns("outcome").equals(pa.Table.from_pylist(batch).drop_columns("outcome"))
        counted.update(done["outcome"].to_pylist())
    return counted


TIMES = st.integers(0, 4)
ROWS = st.builds(
    record,
    st.sampled_from([-(2**63), -1, 0, 1, 2**63 - 1]),
    st.integers(0, 1),
    happened=TIMES,
    received=TIMES,
    partition=st.integers(0, 1),
    outcome=st.sampled_from(["landed", "landed", "landed", *OUTCOMES[1:3]]),
)


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[float, list[Row]]]:
    """Micro-batches in the order of the topic, the rows of each in any order, with the horizon at each."""
    drawn = draw(st.lists(st.tuples(st.integers(0, 5), st.lists(ROWS, min_size=1, max_size=12)), max_size=8))
    made, offset = [], 0
    for horizon, rows in drawn:
        placed = [{**row, "offset": offset + n // 3, "position": n % 3} for n, row in enumerate(rows)]
        offset += len(rows)
        made.append((float(horizon), draw(st.permutations(placed))))
    return made


@given(batches())
def test_whatever_is_sent_again_the_outcomes_are_those_of_a_plain_dictionary(
    sent: list[tuple[float, list[Row]]],
) -> None:
    assert_the_model_agrees(sent)


def test_of_20_000_duplicates_and_conflicts_none_lands() -> None:
    rng = random.Random(7)
    sent = {
        rng.random(): record(rng.getrandbits(64) - 2**63, content=rng.getrandbits(62), received=RECEIVED + number)
        for number in range(10_000)
    }
    firsts = sorted(sent.items())
    for number in range(20_000):
        when, first = rng.choice(firsts)
        content = first["content"] + (number % 5 == 0)
        sent[rng.uniform(when, 1.1)] = {**first, "content": content, "received": RECEIVED + 10_000 + number}
    topic = [{**row, "offset": offset} for offset, (_, row) in enumerate(sorted(sent.items()))]

    counted = assert_the_model_agrees([(0, topic[begin : begin + 700]) for begin in range(0, len(topic), 700)])

    assert counted == {"landed": 10_000, "duplicates": 16_000, "conflict": 4_000}

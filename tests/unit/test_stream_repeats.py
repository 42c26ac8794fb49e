"""An event that is sent again stays one row: the judgement on a micro-batch as a whole."""

import random

import numpy as np
import pyarrow as pa
import pytest

from questlog.stream import repeats
from questlog.stream.repeats import IDENTITY, Known

RECEIVED = 1_767_607_200_000
HAPPENED = RECEIVED - 5_000


def record(
    id_: int, content: int = 1, offset: int = 0, *, happened: int = HAPPENED, received: int = RECEIVED, **other: object
) -> dict[str, object]:
    identity = dict(zip(IDENTITY, (id_, content, happened, received), strict=True))
    place = {"partition": 0, "offset": offset, "position": 0}
    return {"event_type": "page_view", "outcome": "landed", **place, **identity, **other}


def outcomes(records: list[dict[str, object]], known: Known | None = None) -> list[str]:
    return repeats.judged(pa.Table.from_pylist(records), known or Known())["outcome"].to_pylist()


def knowing(*records: dict[str, object]) -> Known:
    return Known(repeats.entries(pa.Table.from_pylist(list(records))))


def test_events_with_ids_of_their_own_land() -> None:
    assert outcomes([record(1, offset=0), record(2, offset=1)]) == ["landed", "landed"]


def test_the_first_of_an_id_lands_wherever_it_stands_in_the_batch() -> None:
    assert outcomes([record(1, offset=9), record(1, offset=3), record(1, offset=5)]) == [
        "repeated",
        "landed",
        "repeated",
    ]


def test_of_events_in_one_record_the_first_lands() -> None:
    assert outcomes([record(1, position=2), record(1, position=0), record(1, position=1)]) == [
        "repeated",
        "landed",
        "repeated",
    ]


def test_an_id_with_another_content_is_a_conflict_with_the_first() -> None:
    batch = [record(1, content=1, offset=0), record(1, content=2, offset=1), record(1, content=1, offset=2)]
    assert outcomes(batch) == ["landed", "conflict", "repeated"]


def test_what_landed_in_an_earlier_batch_is_repeated() -> None:
    assert outcomes([record(1), record(2)], knowing(record(1))) == ["repeated", "landed"]


def test_what_landed_in_an_earlier_batch_decides_what_is_a_conflict() -> None:
    batch = [record(1, content=2, offset=0), record(1, content=1, offset=1)]
    assert outcomes(batch, knowing(record(1, content=1))) == ["conflict", "repeated"]


def test_a_time_that_the_client_gave_is_part_of_what_it_says() -> None:
    assert outcomes([record(1, offset=0), record(1, offset=1, happened=HAPPENED - 1)]) == ["landed", "conflict"]


def test_a_time_of_receipt_is_not_part_of_what_a_client_says() -> None:
    later = RECEIVED + 60_000
    first = record(1, happened=RECEIVED, received=RECEIVED)
    assert outcomes([record(1, happened=later, received=later)], knowing(first)) == ["repeated"]


def test_a_clients_time_that_happens_to_be_that_of_receipt_is_no_conflict() -> None:
    first = record(1, happened=RECEIVED, received=RECEIVED)
    assert outcomes([record(1, happened=RECEIVED, received=RECEIVED + 900)], knowing(first)) == ["repeated"]


@pytest.mark.parametrize("outcome", ["filtered", "rejected"])
def test_records_that_do_not_land_are_left_as_they_are_and_stand_in_nobodys_way(outcome: str) -> None:
    nothing = {**dict.fromkeys(IDENTITY), "outcome": outcome}
    assert outcomes([{**record(1, offset=0), **nothing}, record(1, offset=1)]) == [outcome, "landed"]


def test_a_batch_in_which_nothing_lands_is_judged() -> None:
    assert outcomes([{**record(1), **dict.fromkeys(IDENTITY), "outcome": "rejected"}]) == ["rejected"]


def test_however_events_are_added_every_one_is_found_and_no_other() -> None:
    dice = random.Random(1)
    ids = list({dice.getrandbits(64) - 2**63 for _ in range(3_000)})
    known, rest = Known(), ids[:2_000]
    while rest:
        size = dice.randint(1, 300)
        known.add(repeats.entries(pa.Table.from_pylist([record(id_, content=id_ // 2) for id_ in rest[:size]])))
        rest = rest[size:]

    found, entries = known.find(np.array(ids))

    assert found.tolist() == [True] * 2_000 + [False] * 1_000
    assert entries["content"][:2_000].tolist() == [id_ // 2 for id_ in ids[:2_000]]
    assert len(known) == 2_000


def test_what_was_received_before_a_time_is_forgotten() -> None:
    known = knowing(record(1, received=RECEIVED - 1), record(2, received=RECEIVED))

    known.forget(RECEIVED)

    assert outcomes([record(1), record(2)], known) == ["landed", "repeated"]


def test_what_landed_again_after_it_was_forgotten_is_known_again_however_it_came_in() -> None:
    again = record(1, content=2, received=RECEIVED)
    together = knowing(again, record(1, received=RECEIVED - 1))
    apart = knowing(record(1, received=RECEIVED - 1))
    apart.forget(RECEIVED)
    apart.add(repeats.entries(pa.Table.from_pylist([again])))
    together.forget(RECEIVED)

    for known in (together, apart):
        assert outcomes([record(1, content=2, offset=0), record(1, content=1, offset=1)], known) == [
            "repeated",
            "conflict",
        ]
    assert len(apart) == 1


def test_what_is_learnt_twice_is_known_once() -> None:
    known = knowing(record(1), record(2))
    known.learn(repeats.entries(pa.Table.from_pylist([record(2), record(3)])))

    assert len(known) == 3
    assert outcomes([record(1), record(2), record(3), record(4)], known) == ["repeated"] * 3 + ["landed"]


def test_an_event_that_landed_again_when_it_was_forgotten_is_learnt_with_its_newer_time() -> None:
    known = knowing(record(1, received=RECEIVED))
    known.learn(repeats.entries(pa.Table.from_pylist([record(1, received=RECEIVED + 10)])))
    known.forget(RECEIVED + 5)

    assert outcomes([record(1)], known) == ["repeated"]


def test_arrays_that_were_given_away_do_not_change() -> None:
    known = knowing(record(1))
    before = known.runs()
    known.add(repeats.entries(pa.Table.from_pylist([record(2), record(3)])))

    assert [run["id"].tolist() for run in before] == [[1]]

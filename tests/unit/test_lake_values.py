import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from questlog.lake import values
from questlog.lake.values import Column


@pytest.mark.parametrize(
    ("kind", "sent", "meant"),
    [
        ("bigint", 7, 7),
        ("varchar(3)", "abc", "abc"),
        ("double", 0.5, 0.5),
        ("double", "Infinity", math.inf),
        ("decimal(10,2)", Decimal("1.50"), Decimal("1.50")),
        ("date", "2026-01-05", date(2026, 1, 5)),
        ("timestamp", "2026-01-05 10:00:00.123", datetime(2026, 1, 5, 10, 0, 0, 123000)),
        ("timestamp with time zone", "2026-01-05 10:00:00.000 UTC", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        (
            "timestamp with time zone",
            "2026-01-05 10:00:00.000 +02:00",
            datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(hours=2))),
        ),
        ("map(varchar, varchar)", {"a": "b"}, {"a": "b"}),
        ("date", None, None),
    ],
)
def test_a_value_becomes_pythons_own(kind: str, sent: object, meant: object) -> None:
    assert values.rows([Column("x", kind)], [(sent,)]) == [(meant,)]


@pytest.mark.parametrize(
    ("kind", "sent", "dtype"),
    [
        ("bigint", [1, 2], "int64"),
        ("bigint", [1, None], "Int64"),
        ("integer", [], "int64"),
        ("boolean", [True, False], "bool"),
        ("boolean", [True, None], "boolean"),
        ("double", [0.5, None], "float64"),
        ("double", ["NaN", 1.0], "float64"),
        ("date", ["2026-01-05", None], "datetime64[s]"),
        ("date", [], "datetime64[s]"),
        ("timestamp", ["2026-01-05 10:00:00.123", None], "datetime64[ms]"),
        ("timestamp with time zone", ["2026-01-05 10:00:00.000 Europe/Amsterdam"], "datetime64[ms, UTC]"),
        ("varchar", ["a", None], "object"),
        ("decimal(10,2)", [Decimal("1.50")], "object"),
        ("varbinary", [b"a"], "object"),
    ],
)
def test_a_column_becomes_pandas_own(kind: str, sent: list[object], dtype: str) -> None:
    frame = values.frame([Column("x", kind)], [(value,) for value in sent])
    assert [str(kind) for kind in frame.dtypes] == [dtype]
    assert len(frame) == len(sent)


def test_a_large_integer_beside_a_null_keeps_every_digit() -> None:
    frame = values.frame([Column("x", "bigint")], [(2**62 + 1,), (None,)])
    assert frame["x"][0] == 2**62 + 1


def test_a_time_with_a_zone_is_the_same_instant_in_utc() -> None:
    frame = values.frame([Column("x", "timestamp with time zone")], [("2026-01-05 10:00:00.000 Europe/Amsterdam",)])
    assert frame["x"][0] == datetime(2026, 1, 5, 9, tzinfo=UTC)


def test_columns_keep_their_names_also_when_two_share_one() -> None:
    assert list(values.frame([Column("a", "bigint"), Column("a", "bigint")], [(1, 2)]).columns) == ["a", "a"]


def test_an_answer_without_columns_is_an_empty_frame() -> None:
    assert values.frame([], []).empty

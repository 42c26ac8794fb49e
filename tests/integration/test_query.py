import io
import json
import math
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import landed
import pandas as pd
import pytest

from questlog import pipeline
from questlog.catalog import counts, tables
from questlog.errors import QueryError
from questlog.events import CATALOGUE
from questlog.events.schema import PHASES, events_columns
from questlog.lake import presto, values
from questlog.lake.hdfs import Hdfs
from questlog.query import library, output
from questlog.settings import Settings

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NOON = landed.NOON
MONDAY = NOON.date()


@contextmanager
def new_tables(settings: Settings) -> Iterator[Settings]:
    tables.drop(settings)
    tables.create(settings)
    yield settings
    tables.drop(settings)


@pytest.fixture(scope="module")
def tables_without_rows(settings: Settings) -> Iterator[Settings]:
    with new_tables(settings.in_namespace("test_query_empty")) as here:
        yield here


@pytest.fixture(scope="module")
def tables_of_three_players(settings: Settings) -> Iterator[Settings]:
    """Ada plays three days, Bob two, Cy one; somebody without a name looks in."""
    with new_tables(settings.in_namespace("test_query")) as here:
        hdfs = Hdfs(here)
        landed.land_story(hdfs, here, STORY)
        landed.land_dead_letters(hdfs, here, *DEAD_LETTERS)
        landed.land_batches(hdfs, here, *BATCHES)
        landed.land_progress(hdfs, here, *PROGRESS)
        pipeline.announce(here)
        yield here


STORY = {
    "page_view": [landed.event("anonymous", NOON, page="/"), landed.event("anonymous", NOON + HOUR, page="/shop")],
    "create_player": [
        landed.event("ada", NOON, character="mage", country="NL"),
        landed.event("bob", NOON + HOUR, character="mage", country=None),
        landed.event("cy", NOON + DAY, character="rogue", country="PT"),
    ],
    "start_quest": [
        landed.event("ada", NOON + 2 * HOUR, quest="Lair", difficulty="hard"),
        landed.event("ada", NOON + DAY, quest="Lair", difficulty="hard"),
        landed.event("bob", NOON + 2 * HOUR, quest="Lair", difficulty="easy"),
        landed.event("cy", NOON + DAY + HOUR, quest="Cave", difficulty="normal"),
    ],
    "finish_quest": [
        landed.event("ada", NOON + 3 * HOUR, quest="Lair", outcome="won", gold=100, duration=60),
        landed.event("bob", NOON + 3 * HOUR, quest="Lair", outcome="lost", gold=0, duration=90),
        landed.event("ada", NOON + DAY + HOUR, quest="Lair", outcome="abandoned", gold=0, duration=None),
    ],
    "purchase_sword": [landed.event("ada", NOON + 4 * HOUR, item="iron", price=120)],
    "purchase_shield": [landed.event("bob", NOON + DAY, item="kite", price=80)],
    "purchase_potion": [
        landed.event("ada", NOON + DAY + 2 * HOUR, item="mana", price=10, quantity=3),
        landed.event("ada", NOON + 2 * DAY, item="mana", price=20, quantity=1),
    ],
    "join_guild": [
        landed.event("ada", NOON + 5 * HOUR, guild="Owls"),
        landed.event("bob", NOON + HOUR, guild="Owls"),
        landed.event("cy", NOON + DAY + 2 * HOUR, guild="Cats"),
    ],
    "leave_guild": [landed.event("cy", NOON + DAY + 3 * HOUR, guild="Cats", reason="too quiet")],
}
DEAD_LETTERS = [
    {"event_type": "page_view", "reason": "not JSON", "value": b"{"},
    {"event_type": "page_view", "reason": "not JSON", "value": b"\xff"},
    {"event_type": "(unknown)", "reason": "unknown type", "value": b"{}"},
]
BATCHES = [
    {"stream": "s", "batch": 0, "event_type": "page_view", "landed": 1, "filtered": 4, "rejected": 2},
    {"stream": "s", "batch": 1, "event_type": "page_view", "landed": 1, "filtered": 1, "rejected": 0, "duplicates": 1},
    {"stream": "s", "batch": 0, "event_type": "join_guild", "landed": 3, "filtered": 0, "rejected": 0},
]


def day(number: int) -> date:
    return MONDAY + number * DAY


SECONDS = {f"{phase}_seconds": number / 8 for number, phase in enumerate(PHASES)}
PROGRESS = [
    {"stream": "s", "batch": batch, "started_at": landed.NOON + batch * DAY, "records": 9, "lag": 0, "seconds": 2.0}
    | dict.fromkeys(("landed", "filtered", "rejected", "duplicates"), 0)
    | SECONDS
    for batch in range(2)
]

PHASE_SECONDS = [number / 8 for number in range(len(PHASES))]
ANSWERS: dict[str, list[tuple[object, ...]]] = {
    "characters": [("mage", 2, 2, 250, 125.0), ("rogue", 1, 0, 0, 0.0)],
    # Of Ada's events three, and of Bob's one, lie in the topic behind one that happened later.
    "data_quality": [
        ("rejected: no valid event", 3, 13, 3 / 13),
        ("duplicates: landed already", 1, 13, 1 / 13),
        ("overtaken: after a later event of the player", 4, 20, 4 / 20),
        ("nameless: of no known player", 2, 20, 2 / 20),
    ],
    "dead_letters_by_reason": [("page_view", "not JSON", 2), ("(unknown)", "unknown type", 1)],
    "events_by_type": [
        ("start_quest", 4, 3, day(0), day(1)),
        ("create_player", 3, 3, day(0), day(1)),
        ("finish_quest", 3, 2, day(0), day(1)),
        ("join_guild", 3, 3, day(0), day(1)),
        ("page_view", 2, 0, day(0), day(0)),
        ("purchase_potion", 2, 1, day(1), day(2)),
        ("leave_guild", 1, 1, day(1), day(1)),
        ("purchase_shield", 1, 1, day(1), day(1)),
        ("purchase_sword", 1, 1, day(0), day(0)),
    ],
    # Bob joined his guild before he bought anything, Cy never bought: neither counts after the step that he lacks.
    "funnel": [
        (1, "created a player", 3, 1.0, 1.0),
        (2, "started a quest", 3, 1.0, 1.0),
        (3, "bought an item", 2, 2 / 3, 2 / 3),
        (4, "joined a guild", 1, 1 / 3, 1 / 2),
    ],
    "guilds": [("Owls", 2, 0, 2, 2, 250, 125.0), ("Cats", 1, 1, 0, 0, 0, None)],
    "hours_of_day": [
        (hour, *{12: (6, 3), 13: (5, 3), 14: (4, 3), 15: (3, 3), 16: (1, 1), 17: (1, 1)}.get(hour, (0, 0)))
        for hour in range(24)
    ],
    "leave_reasons": [("too quiet", 1)],
    "batch_audit": [("join_guild", 3, 0, 0, 0), ("page_view", 2, 5, 2, 1)],
    "ledger_events": [(name, len(STORY[name]), len(STORY[name])) for name in sorted(STORY)],
    "players_by_day": [(day(0), 2, 9, 2), (day(1), 3, 8, 1), (day(2), 1, 1, 0)],
    "players_returning": [(1, 3, 2, 2 / 3), (2, 2, 1, 1 / 2)],
    "quests": [("Lair", 3, 1, 1, 1, 1 / 3, 75.0, 100), ("Cave", 1, 0, 0, 0, None, None, 0)],
    "quests_by_difficulty": [("hard", 2, 1), ("easy", 1, 1), ("normal", 1, 1)],
    "revenue_by_day": [
        (day(0), "sword", 1, 120),
        (day(1), "potion", 3, 30),
        (day(1), "shield", 1, 80),
        (day(2), "potion", 1, 20),
    ],
    "sales_by_item": [
        ("sword", "iron", 1, 1, 120, 120.0),
        ("shield", "kite", 1, 1, 80, 80.0),
        ("potion", "mana", 2, 4, 50, 12.5),
    ],
    "stream_progress": [
        ("s", batch, pd.Timestamp((NOON + batch * DAY).replace(tzinfo=None)), 9, 0, 2.0, *PHASE_SECONDS)
        for batch in (1, 0)
    ],
    "top_spenders": [("ada", 3, 5, 170, 0.68), ("bob", 1, 1, 80, 0.32)],
}


def rows(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    """The frame's rows, dates as dates and nulls as None."""
    dates = frame.columns[frame.dtypes == values.DATE]
    plain = frame.assign(**{name: frame[name].dt.date for name in dates}).astype("object")
    return [tuple(row) for row in plain.where(frame.notna(), None).itertuples(index=False, name=None)]


def wait_for_state(settings: Settings, mark: str, state: str, seconds: float = 60) -> None:
    """Return when the query whose text holds `mark` is in this state, as Presto's own table of queries tells."""
    asked = f"SELECT state FROM system.runtime.queries WHERE query LIKE 'SELECT count(*) /* {mark}%'"
    deadline = time.monotonic() + seconds
    while (state,) not in presto.execute(settings, asked):
        assert time.monotonic() < deadline, f"the query did not come to {state} in {seconds} s"


def test_every_query_of_the_library_has_a_known_answer() -> None:
    from test_query_over_weeks import ANSWERS as OVER_WEEKS

    assert sorted([*ANSWERS, *OVER_WEEKS]) == list(library.names())


@pytest.mark.parametrize("name", ANSWERS)
def test_a_query_gives_its_known_answer_with_the_columns_it_describes(
    tables_of_three_players: Settings, name: str
) -> None:
    frame = library.run(tables_of_three_players, name)
    assert list(frame.columns) == list(library.describe(name).columns)
    assert rows(frame) == ANSWERS[name]


@pytest.mark.parametrize("name", library.names())
def test_a_query_of_tables_without_rows_has_its_columns_too(tables_without_rows: Settings, name: str) -> None:
    frame = library.run(tables_without_rows, name)
    assert list(frame.columns) == list(library.describe(name).columns)
    constant = ["hour", "step", "minutes"]
    assert not frame.select_dtypes("int64").drop(columns=constant, errors="ignore").to_numpy().any()


def test_events_of_one_batched_record_are_in_the_order_of_their_positions(settings: Settings) -> None:
    batched = [
        landed.event("ada", NOON + number * HOUR, event_type="page_view", kafka_offset=0, kafka_position=number)
        for number in range(10)
    ]
    with new_tables(settings.in_namespace("test_query_batched")) as here:
        content = landed.parquet(events_columns(CATALOGUE), reversed(batched))
        landed.put(Hdfs(here), landed.day_file(here, MONDAY), content)
        pipeline.announce(here)

        answer = library.run(here, "data_quality").set_index("check")

    assert answer.loc["overtaken: after a later event of the player", ["found", "looked_at"]].tolist() == [0, 10]


def test_a_parameter_changes_the_answer(tables_of_three_players: Settings) -> None:
    assert rows(library.run(tables_of_three_players, "top_spenders", most=1)) == ANSWERS["top_spenders"][:1]


def test_a_parameter_is_a_value_and_never_sql(tables_of_three_players: Settings) -> None:
    text = "x' OR '1'='1' -- %(user)s"
    found = presto.frame(
        tables_of_three_players,
        "SELECT %(user)s AS said, count(*) AS n FROM events WHERE user_id = %(user)s",
        {"user": text},
    )
    assert rows(found) == [(text, 0)]


@pytest.mark.parametrize(
    ("value", "kind", "meant"),
    [
        (7, "integer", 7),
        (True, "boolean", True),
        ("it's 100% ä", "varchar(11)", "it's 100% ä"),
        (date(2026, 1, 5), "date", date(2026, 1, 5)),
        (datetime(2026, 1, 5, 10, 0, 0, 250_000), "timestamp", datetime(2026, 1, 5, 10, 0, 0, 250_000)),
        (datetime(2026, 1, 5, 10, tzinfo=timezone(2 * HOUR)), "timestamp", datetime(2026, 1, 5, 8)),
        (None, "unknown", None),
    ],
)
def test_a_parameter_comes_back_as_it_was_given(settings: Settings, value: object, kind: str, meant: object) -> None:
    result = presto.execute(settings, "SELECT %(x)s AS x", {"x": value})
    assert (result.columns[0].type, result.rows) == (kind, [(meant,)])


def test_a_list_is_a_parameter_of_in(settings: Settings) -> None:
    assert presto.execute(settings, "SELECT 2 IN %(x)s, 'b' IN %(y)s", {"x": [1, 2], "y": ["a"]}).rows == [
        (True, False)
    ]


def test_answers_have_their_own_types(settings: Settings) -> None:
    result = presto.execute(
        settings,
        "SELECT DECIMAL '1.50', X'ff00', MAP(ARRAY['a'], ARRAY['b']), ARRAY[1, 2], nan(), "
        "CAST('2026-01-05 10:00:00.000 UTC' AS timestamp with time zone)",
    )
    *exact, number, instant = result.rows[0]
    assert exact == [Decimal("1.50"), b"\xff\x00", {"a": "b"}, [1, 2]]
    assert math.isnan(number)
    assert instant == datetime(2026, 1, 5, 10, tzinfo=UTC)


def test_a_frame_has_its_columns_types_also_without_rows(settings: Settings) -> None:
    sql = "SELECT BIGINT '1' AS n, DATE '2026-01-05' AS d, TIMESTAMP '2026-01-05 10:00:00' AS t, true AS b"
    full = presto.frame(settings, sql)
    empty = presto.frame(settings, f"SELECT * FROM ({sql}) WHERE false")
    assert [str(kind) for kind in full.dtypes] == ["int64", "datetime64[s]", "datetime64[ms]", "bool"]
    assert (list(empty.dtypes), len(empty)) == (list(full.dtypes), 0)


def test_an_answer_of_many_pages_is_whole_and_in_order(settings: Settings) -> None:
    frame = presto.frame(
        settings,
        "SELECT a * 10000 + b AS n FROM unnest(sequence(0, 9)) AS x (a) CROSS JOIN unnest(sequence(0, 9999)) AS y (b) "
        "ORDER BY n",
    )
    assert frame["n"].tolist() == list(range(100_000))


def test_the_session_is_in_utc(settings: Settings) -> None:
    assert presto.execute(settings, "SELECT current_timezone()").rows == [("UTC",)]


def test_an_unknown_column_is_named_with_its_place_and_what_to_do(tables_of_three_players: Settings) -> None:
    with pytest.raises(QueryError) as caught:
        presto.execute(tables_of_three_players, "SELECT user_id,\n  golld\nFROM events")
    assert str(caught.value) == (
        "Presto refused the statement at line 2, column 3: Column 'golld' cannot be resolved (SYNTAX_ERROR). "
        "Correct it: SHOW TABLES FROM hive.test_query lists the tables, which `questlog catalog` creates; "
        "DESCRIBE <table> lists a table's columns."
    )


def test_an_unknown_table_is_named(tables_without_rows: Settings) -> None:
    with pytest.raises(QueryError, match=r"Table hive\.\w+\.nope does not exist"):
        presto.execute(tables_without_rows, "SELECT * FROM nope")


def test_a_mistake_that_shows_while_the_query_runs_is_an_error_too(settings: Settings) -> None:
    with pytest.raises(QueryError, match=r"\(DIVISION_BY_ZERO\). Correct the statement"):
        presto.frame(settings, "SELECT 1 / n FROM unnest(sequence(0, 1)) AS t (n)")


def test_a_query_is_cancelled_when_its_caller_is_interrupted(settings: Settings) -> None:
    mark = uuid.uuid4().hex
    endless = (
        f"SELECT count(*) /* {mark} */ FROM {', '.join(f'unnest(sequence(1, 9999)) AS t{n} (n)' for n in range(4))}"
    )

    def interrupt_once_it_runs() -> None:
        wait_for_state(settings, mark, "RUNNING")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    interrupter = threading.Thread(target=interrupt_once_it_runs)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        presto.execute(settings, endless)
    interrupter.join()

    wait_for_state(settings, mark, "FAILED")


def test_csv_and_json_hold_what_presto_answered(tables_of_three_players: Settings) -> None:
    frame = library.run(tables_of_three_players, "revenue_by_day")
    lines = output.render(frame, "csv").splitlines()
    objects = json.loads(output.render(frame, "json"))
    assert lines[:2] == ["day,kind,pieces,gold", "2026-01-05,sword,1,120"]
    assert objects[0] == {"day": "2026-01-05", "kind": "sword", "pieces": 1, "gold": 120}
    assert pd.read_csv(io.StringIO("\n".join(lines)))["gold"].tolist() == [row["gold"] for row in objects]


def test_dead_letters_show_the_bytes_that_were_sent(tables_of_three_players: Settings) -> None:
    frame = presto.frame(tables_of_three_players, 'SELECT "value" FROM dead_letters ORDER BY "value"')
    assert frame["value"].tolist() == [b"{", b"{}", b"\xff"]
    assert "\\xff" in output.render(frame)


PRUNED = ("page_view", "join_guild", "purchase_potion")
ROWS = 3000  # of each type in each file
FILES = 2


@pytest.fixture(scope="module")
def compacted_day(settings: Settings) -> Iterator[Settings]:
    """A day with many events of three types, in one file."""
    with new_tables(settings.in_namespace("test_query_pruning", compact_files=2)) as here:
        for number in range(FILES):
            for name in PRUNED:
                own = {field.name: field.example for field in CATALOGUE[name].fields}
                events = (landed.event(f"player-{number}-{place:04}", **own) for place in range(ROWS))
                landed.land(Hdfs(here), here, name, *events)
        pipeline.announce(here)
        pipeline.compact(here)
        assert len(counts.listing(here, "events")) == 1
        yield here


def test_a_view_reads_the_rows_of_its_type_alone(compacted_day: Settings) -> None:
    of_all = presto.statistics(compacted_day, "SELECT event_type, count(DISTINCT user_id) FROM events GROUP BY 1")
    of_types = [presto.statistics(compacted_day, f"SELECT count(DISTINCT user_id) FROM {name}") for name in PRUNED]

    assert of_all.rows == FILES * ROWS * len(PRUNED)
    assert [each.rows for each in of_types] == [FILES * ROWS] * len(PRUNED)
    assert all(each.bytes < of_all.bytes / 2 for each in of_types)


def test_several_types_read_no_row_of_the_others(compacted_day: Settings) -> None:
    sql = "SELECT count(user_id) FROM events WHERE event_type IN ('join_guild', 'purchase_potion')"
    assert presto.statistics(compacted_day, sql).rows == 2 * FILES * ROWS


def test_of_a_type_that_a_day_does_not_have_the_type_column_alone_is_read(compacted_day: Settings) -> None:
    of_types = presto.statistics(compacted_day, "SELECT count(event_type) FROM events")
    of_none = presto.statistics(compacted_day, "SELECT count(user_id) FROM start_quest")
    assert of_none.rows == 0
    assert of_none.bytes <= of_types.bytes


def test_another_day_reads_nothing(compacted_day: Settings) -> None:
    sql = "SELECT count(user_id) FROM events WHERE event_date = %(day)s"
    assert presto.statistics(compacted_day, sql, {"day": day(1)}) == presto.Statistics(0, 0)
    assert presto.statistics(compacted_day, sql, {"day": day(0)}).rows == FILES * ROWS * len(PRUNED)


def test_columns_that_a_query_does_not_name_are_not_read(compacted_day: Settings) -> None:
    narrow, wide = (
        presto.statistics(compacted_day, f"SELECT {columns} FROM page_view")
        for columns in ("count(user_id)", "count(user_id), count(event_id), count(page), count(received_at)")
    )
    assert narrow.rows == wide.rows
    assert narrow.bytes < wide.bytes


def test_statistics_of_a_refused_statement_are_its_error(settings: Settings) -> None:
    with pytest.raises(QueryError, match="Presto refused the statement"):
        presto.statistics(settings, "SELEC 1")

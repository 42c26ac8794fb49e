"""The tables of Questlog 0.1 are rewritten in the present layout, and deleted only once the new ones are verified."""

import io
import os
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from questlog import pipeline
from questlog.catalog import tables, upgrade
from questlog.errors import CatalogError, LeaseHeld
from questlog.events import CATALOGUE
from questlog.events.schema import BATCH_COLUMNS, DEAD_LETTER_COLUMNS, view_columns
from questlog.lake import parquet, presto
from questlog.lake.hdfs import Hdfs
from questlog.lake.lease import holding
from questlog.lake.types import arrow_schema
from questlog.settings import Settings

MONDAY, TUESDAY = "event_date=2026-01-05", "event_date=2026-01-06"
FORMER_LEDGER = (("stream", "varchar"), ("batch", "bigint"), ("event_type", "varchar"), ("landed", "bigint"),
                 ("filtered", "bigint"), ("rejected", "bigint"), ("repeated", "bigint"))  # fmt: skip


class Former:
    """A namespace as Questlog 0.1 left it: page views of two days, of which one was merged, and one guild joined."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.hdfs = settings, Hdfs(settings)

    def execute(self, sql: str) -> Any:
        return presto.execute(self.settings, sql)

    def fill(self) -> None:
        events, merged = self.settings.table_path("events"), self.settings.table_path("merged")
        monday = f"{events}/event_type=page_view/{MONDAY}"
        self.put(f"{monday}/part-old-0.parquet", "page_view", ["a", "b"])
        self.hdfs.write(f"{monday}/_replaced", b"")
        self.put(f"{merged}/events/event_type=page_view/{MONDAY}/0001/merged.parquet", "page_view", ["a", "b"])
        self.put(f"{events}/event_type=page_view/{TUESDAY}/part-x-1-0.parquet", "page_view", ["c"])
        self.put(f"{events}/event_type=join_guild/{MONDAY}/part-x-1-0.parquet", "join_guild", ["d"], guild="Watch")
        ledger = {"stream": "0123abcd", "batch": 1, "event_type": "page_view", "landed": 3, "filtered": 0}
        rows = pa.Table.from_pylist([{**ledger, "rejected": 1, "repeated": 2}], arrow_schema(FORMER_LEDGER))
        self.hdfs.write(
            f"{self.settings.table_path('ledger')}/part-0123abcd-1.parquet", parquet.encode("batches", rows)
        )
        letter = pa.Table.from_pylist([{"event_type": "page_view", "reason": "why"}], arrow_schema(DEAD_LETTER_COLUMNS))
        self.hdfs.write(
            f"{self.settings.table_path('dead_letters')}/part-x-1-0.parquet", parquet.encode("dead_letters", letter)
        )
        self.define()

    def put(self, path: str, event_type: str, ids: list[str], **own: str) -> None:
        """One file of the former layout: it has no column for the type, which its folder names."""
        at = datetime(2026, 1, 5, tzinfo=UTC)
        common = {"event_time": at, "user_id": "ada", "schema_version": 1, "received_at": at, "headers": {"host": "g"}}
        rows = [
            {**common, "event_id": name, "kafka_partition": 0, "kafka_offset": offset, "kafka_position": 0, **own}
            for offset, name in enumerate(ids)
        ]
        schema = arrow_schema(view_columns(CATALOGUE[event_type]))
        self.hdfs.write(path, _encoded(pa.Table.from_pylist(rows, schema)))

    def define(self) -> None:
        """The tables of 0.1, as far as they get in the way: `events`, one for each type, the ledger."""
        database, url = self.settings.database, f"{self.settings.hdfs_url}{self.settings.warehouse}"
        self.execute(f"CREATE SCHEMA IF NOT EXISTS hive.{database} WITH (location = '{url}')")
        for name, columns, partitions in (
            ("events", "event_id varchar, event_type varchar, event_date date", "ARRAY['event_type', 'event_date']"),
            ("page_view", "event_id varchar, event_date date", "ARRAY['event_date']"),
            ("join_guild", "event_id varchar, event_date date", "ARRAY['event_date']"),
        ):
            folder = "events" if name == "events" else f"events/event_type={name}"
            self.execute(
                f"CREATE TABLE hive.{database}.{name} ({columns}) WITH (format = 'PARQUET', "
                f"external_location = '{url}/{folder}', partitioned_by = {partitions})"
            )
        self.execute(
            f"CREATE TABLE hive.{database}.ledger (stream varchar, batch bigint) WITH (format = 'PARQUET', "
            f"external_location = '{url}/ledger')"
        )


def _encoded(rows: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(rows, out)
    return out.getvalue()


@pytest.fixture
def former(fresh: Settings) -> Former:
    made = Former(fresh)
    made.fill()
    return made


def test_every_event_is_in_the_new_table_and_in_the_view_of_its_type(former: Former) -> None:
    rows = pipeline.upgrade(former.settings)

    assert rows == {"page_view": 3, "join_guild": 1}
    seen = pipeline.sql(former.settings, "SELECT event_id, event_type, event_date FROM events ORDER BY event_id")
    assert list(seen["event_id"]) == ["a", "b", "c", "d"]
    assert list(pipeline.sql(former.settings, "SELECT guild FROM join_guild")["guild"]) == ["Watch"]
    assert list(pipeline.sql(former.settings, "SELECT event_id FROM page_view ORDER BY 1")["event_id"]) == [
        "a",
        "b",
        "c",
    ]


def test_the_ledger_becomes_the_audit_of_batches_and_keeps_the_name_that_says_committed(former: Former) -> None:
    pipeline.upgrade(former.settings)

    audit = pipeline.sql(former.settings, "SELECT stream, batch, landed, rejected, duplicates FROM batches")
    assert audit.to_dict("records") == [{"stream": "0123abcd", "batch": 1, "landed": 3, "rejected": 1, "duplicates": 2}]
    folder = f"{former.settings.table_path('batches')}/v000000-000000"
    assert [entry.name for entry in former.hdfs.files(folder)] == ["part-0123abcd-1.parquet"]
    assert len(BATCH_COLUMNS) == len(FORMER_LEDGER)


def test_dead_letters_are_kept(former: Former) -> None:
    pipeline.upgrade(former.settings)

    assert list(pipeline.sql(former.settings, "SELECT reason FROM dead_letters")["reason"]) == ["why"]


def test_the_former_files_are_gone_afterwards_and_a_second_upgrade_has_nothing_to_do(former: Former) -> None:
    pipeline.upgrade(former.settings)

    names = {entry.name for entry in former.hdfs.entries(former.settings.table_path("events"))}
    assert names == {MONDAY, TUESDAY}
    assert not former.hdfs.exists(former.settings.table_path("merged"))
    assert not former.hdfs.exists(former.settings.table_path("ledger"))
    assert pipeline.upgrade(former.settings) is None


def test_until_it_is_upgraded_the_former_layout_is_refused_with_the_command_that_helps(former: Former) -> None:
    with pytest.raises(CatalogError, match="questlog upgrade"):
        pipeline.create(former.settings)


def test_a_batch_that_the_former_version_has_not_finished_is_refused_and_nothing_changes(former: Former) -> None:
    left = f"{former.settings.staging}/open-0/0123abcd-2"
    former.hdfs.write(f"{left}/events/x.parquet", b"")

    with pytest.raises(CatalogError, match=f"{left} holds a micro-batch"):
        pipeline.upgrade(former.settings)

    assert "ledger" in tables.columns(former.settings)
    former.hdfs.delete(left)


def test_an_upgrade_that_was_cut_before_it_verified_is_run_again(
    former: Former, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(Exception):
        pass

    def cut(settings: Settings, sql: str) -> Any:
        if "GROUP BY" in sql:
            raise Cut
        return execute(settings, sql)

    execute = presto.execute
    with monkeypatch.context() as patched:
        patched.setattr(presto, "execute", cut)
        with pytest.raises(Cut):
            pipeline.upgrade(former.settings)

    assert pipeline.upgrade(former.settings) == {"page_view": 3, "join_guild": 1}


def test_an_upgrade_that_was_cut_while_it_deleted_only_deletes_what_is_left(former: Former) -> None:
    former_day = f"{former.settings.table_path('events')}/event_type=join_guild/{MONDAY}"
    copy = former.hdfs.read(f"{former_day}/part-x-1-0.parquet")
    pipeline.upgrade(former.settings)
    former.hdfs.write(f"{former_day}/part-x-1-0.parquet", copy)  # as if only this one were left
    former.hdfs.write(f"{former.settings.warehouse}/{upgrade.VERIFIED}", b"")

    assert pipeline.upgrade(former.settings) == {"page_view": 3, "join_guild": 1}
    assert not former.hdfs.exists(former_day)


def test_the_own_fields_of_a_type_that_the_catalogue_no_longer_has_stay_in_the_files(former: Former) -> None:
    folder = f"{former.settings.table_path('events')}/event_type=brew_potion/{MONDAY}"
    at = pa.array([datetime(2026, 1, 5, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    former.hdfs.write(
        f"{folder}/part-x-1-0.parquet", _encoded(pa.table({"event_id": ["e"], "event_time": at, "herb": ["sage"]}))
    )

    rows = pipeline.upgrade(former.settings)

    assert rows == {"page_view": 3, "join_guild": 1, "brew_potion": 1}
    day = f"{former.settings.table_path('events')}/{MONDAY}/v000000-000000"
    content = pa.BufferReader(former.hdfs.read(f"{day}/upgraded.parquet"))
    kept = pq.read_table(content, columns=["event_id", "herb"]).to_pylist()
    assert {row["event_id"]: row["herb"] for row in kept if row["herb"]} == {"e": "sage"}


def test_an_upgrade_is_refused_while_another_one_runs(former: Former) -> None:
    short = former.settings.in_namespace(former.settings.namespace, lease_seconds=1)

    with (
        holding(short, former.hdfs, "upgrade"),
        pytest.raises(LeaseHeld, match=f"held by questlog upgrade, process {os.getpid()}"),
    ):
        pipeline.upgrade(short)

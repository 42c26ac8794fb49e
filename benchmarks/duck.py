"""DuckDB on copies of the table's files: the same rows without servers, and the same SQL."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.questions import Row, comparable, text

EVENTS = """CREATE VIEW events AS SELECT * FROM read_parquet(
    '{folder}/**/*.parquet', hive_partitioning = true, union_by_name = true)"""
PURCHASES = """CREATE VIEW purchases AS
SELECT
    user_id, event_time, event_date, substr(event_type, 10) AS kind, item, price,
    coalesce(events.quantity, 1) AS quantity, price * coalesce(events.quantity, 1) AS gold
FROM events WHERE starts_with(event_type, 'purchase_')"""
AS_PRESTO = (
    "SET TimeZone = 'UTC'",
    "SET parquet_metadata_cache = true",  # Presto keeps the footers too
    "CREATE MACRO date_add(unit, number, day) AS day + number * CAST('1 ' || unit AS INTERVAL)",
    "CREATE MACRO sequence(first, last) AS generate_series(first, last)",
)
NUMBERED = re.compile(
    r"unnest\(\s*(ARRAY\[[^]]*\]),\s*(ARRAY\[[^]]*\])\s*\) WITH ORDINALITY AS (\w+) \((\w+), (\w+), (\w+)\)"
)
"""Two arrays side by side with their rows' number, which DuckDB writes otherwise."""
AS_DUCK = r"LATERAL (SELECT unnest(\1) AS \4, unnest(\2) AS \5, unnest(range(1, len(\1) + 1)) AS \6) AS \3"


class Duck:
    """The tables and views of Presto, in DuckDB, on a folder of parquet files."""

    def __init__(self, folder: Path) -> None:
        self._connection = duckdb.connect()
        for statement in (*AS_PRESTO, EVENTS.format(folder=folder), PURCHASES):
            self._connection.execute(statement)
        for (name,) in self._connection.execute("SELECT DISTINCT event_type FROM events").fetchall():
            self._connection.execute(f"CREATE VIEW {name} AS SELECT * FROM events WHERE event_type = '{name}'")

    def value(self, sql: str) -> Any:
        """The one value of an answer."""
        ((value,),) = self._connection.execute(sql).fetchall()
        return value

    def ask(self, question: str) -> tuple[float, list[Row]]:
        """How many seconds the answer took, and its rows."""
        sql = NUMBERED.sub(AS_DUCK, text(question))
        began = time.perf_counter()
        rows = self._connection.execute(sql).fetchall()
        return time.perf_counter() - began, comparable(rows)

"""The columns of a table, spelt as Presto spells them, as types of Arrow and of Spark."""

from __future__ import annotations

import pyarrow as pa

from questlog.events.schema import HEADERS_PRESTO, HEADERS_SPARK, PRESTO_TYPES, SPARK_TYPES, Columns

ARROW_OF = {
    "varchar": pa.string(),
    "bigint": pa.int64(),
    "integer": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "varbinary": pa.binary(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    HEADERS_PRESTO: pa.map_(pa.string(), pa.string()),
}
SPARK_OF = {
    **{presto: SPARK_TYPES[kind] for kind, presto in PRESTO_TYPES.items()},
    "integer": "INT",
    "varbinary": "BINARY",
    HEADERS_PRESTO: HEADERS_SPARK,
}


def arrow_schema(columns: Columns) -> pa.Schema:
    """The columns as an Arrow schema."""
    return pa.schema([(name, ARROW_OF[kind]) for name, kind in columns])


def spark_ddl(columns: Columns) -> str:
    """The columns as Spark's DDL."""
    return ", ".join(f"`{name}` {SPARK_OF[kind]}" for name, kind in columns)

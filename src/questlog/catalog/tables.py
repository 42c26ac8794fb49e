"""Creates the database with its tables, all external, and a view; adds what a later catalogue adds; drops it all.

The view ``purchases`` is over every type that has an item and a price, so a new kind of item needs no new query.
Source: https://prestodb.io/docs/0.287/connector/hive.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from fsspec.implementations.webhdfs import WebHDFS

from questlog.catalog import files as hdfs
from questlog.catalog.definitions import PARTITION_TYPES, PURCHASES_VIEW, TableDefinition, definitions
from questlog.catalog.quoting import Execute, array, identifier, literal, schema, table
from questlog.errors import CatalogError
from questlog.events import CATALOGUE, Catalogue, EventType
from questlog.events.rules import NAME
from questlog.events.schema import PARTITION_TYPE
from questlog.settings import EVENTS_TABLE, Settings

ITEM, PRICE, QUANTITY = "item", "price", "quantity"
PURCHASE_PREFIX = "purchase_"
STATEMENTS_AT_A_TIME = 4


def statements(
    settings: Settings,
    catalogue: Catalogue = CATALOGUE,
    existing: Mapping[str, Mapping[str, str]] | None = None,
    moved: Mapping[str, str] | None = None,
) -> list[str]:
    """The statements that bring the database from the tables that exist to those that the catalogue asks for.

    `existing` maps a table's name to its columns' types, `moved` the folder of a table to where it lies now. A missing
    table is created, a missing column is added; nothing is ever dropped. A new column is there at once in every
    partition, those announced before included: Presto takes the table's columns and looks for each in the file by its
    name (`hive.parquet.use-column-names`), whatever columns the metastore keeps for the partition. Where a file lacks
    it, it is null. No partition is announced again: no gap.

    Raises:
        CatalogError: when a column that exists has another type than the catalogue says.
    """
    return list(itertools.chain(*_stages(settings, catalogue, existing or {}, moved or {})))


def create(execute: Execute, files: WebHDFS, settings: Settings, catalogue: Catalogue = CATALOGUE) -> list[str]:
    """Create what is missing of folders, database, tables and columns; the names of the tables created.

    Raises:
        CatalogError: when a name is taken, a column has another type, or HDFS refuses.
        QueryError: when Presto refuses; as `execute` raises it.
    """
    wanted = definitions(settings, catalogue)
    existing = columns(execute, settings)
    hdfs.make_folders(files, [definition.path for definition in wanted])
    for stage in _stages(settings, catalogue, existing, hdfs.moved(files, settings)):
        _side_by_side(execute, stage)
    return [definition.name for definition in wanted if definition.name not in existing]


def columns(execute: Execute, settings: Settings) -> dict[str, dict[str, str]]:
    """The columns of the tables that exist: their types in Presto's spelling, by table and column."""
    found: dict[str, dict[str, str]] = {}
    catalog = identifier(settings.presto_catalog)
    for name, column, kind in execute(
        f"SELECT table_name, column_name, data_type FROM {catalog}.information_schema.columns "
        f"WHERE table_schema = {literal(settings.database)}"
    ):
        found.setdefault(name, {})[column] = kind
    return found


def drop(execute: Execute, files: WebHDFS, settings: Settings, catalogue: Catalogue = CATALOGUE) -> None:
    """Drop the namespace: its tables, its database, and its folders with all files, staging and checkpoint.

    Tables of types that the catalogue has no longer go too: their folders tell their names.

    Raises:
        CatalogError: when HDFS refuses.
        QueryError: when Presto refuses; for one, the database holds a table that this package did not create.
    """
    execute(f"DROP VIEW IF EXISTS {table(settings, PURCHASES_VIEW)}")
    names = {definition.name for definition in definitions(settings, catalogue)} | _types_with_folder(files, settings)
    for name in sorted(names):  # one by one: side by side, Derby's locks on partitions come to a deadlock
        execute(f"DROP TABLE IF EXISTS {table(settings, name)}")
    execute(f"DROP SCHEMA IF EXISTS {schema(settings)}")
    for path in (settings.warehouse, settings.staging, settings.checkpoint):
        hdfs.delete(files, path)


def _stages(
    settings: Settings, catalogue: Catalogue, known: Mapping[str, Mapping[str, str]], moved: Mapping[str, str]
) -> list[list[str]]:
    """The database, the tables, the view; the statements of one stage may run side by side."""
    made = [_statements_of(settings, definition, known, moved) for definition in definitions(settings, catalogue)]
    # One of each table at a time: of two columns added to the same table at once, the metastore forgets one.
    rounds = [[each for each in stage if each] for stage in itertools.zip_longest(*made)]
    views = list(_purchases(settings, catalogue)) if rounds or PURCHASES_VIEW not in known else []
    return [[_create_schema(settings)], *rounds, views]


def _statements_of(
    settings: Settings,
    definition: TableDefinition,
    known: Mapping[str, Mapping[str, str]],
    moved: Mapping[str, str],
) -> list[str]:
    """What one table lacks, in order."""
    if definition.name not in known:
        return [_create_table(settings, definition, moved.get(definition.path, definition.path))]
    return list(_missing_columns(settings, definition, known[definition.name]))


def _side_by_side(execute: Execute, stage: Sequence[str]) -> None:
    with ThreadPoolExecutor(STATEMENTS_AT_A_TIME) as pool:
        list(pool.map(execute, stage))


def _types_with_folder(files: WebHDFS, settings: Settings) -> set[str]:
    root = settings.table_path(EVENTS_TABLE)
    hdfs.make_folders(files, [root])
    prefix = f"{root}/{PARTITION_TYPE}="
    found = {path.removeprefix(prefix) for path in hdfs.folders(files, root, depth=1) if path.startswith(prefix)}
    return {name for name in found if NAME.fullmatch(name)}


def _create_schema(settings: Settings) -> str:
    location = literal(f"{settings.hdfs_url}{settings.warehouse}")
    return f"CREATE SCHEMA IF NOT EXISTS {schema(settings)} WITH (location = {location})"


def _create_table(settings: Settings, definition: TableDefinition, path: str) -> str:
    partitions = tuple((name, PARTITION_TYPES[name]) for name in definition.partitioned_by)
    lines = ",\n  ".join(_column(definition, name, kind) for name, kind in (*definition.columns, *partitions))
    return (
        f"CREATE TABLE IF NOT EXISTS {table(settings, definition.name)} (\n  {lines}\n)\n"
        f"COMMENT {literal(definition.description)}\n"
        f"WITH ({', '.join(_properties(settings, definition, path))})"
    )


def _properties(settings: Settings, definition: TableDefinition, path: str) -> Iterator[str]:
    yield f"external_location = {literal(settings.hdfs_url + path)}"
    yield "format = 'PARQUET'"
    if definition.partitioned_by:
        yield f"partitioned_by = {array(definition.partitioned_by)}"


def _column(definition: TableDefinition, name: str, kind: str) -> str:
    return f"{identifier(name)} {kind} COMMENT {literal(definition.descriptions[name])}"


def _missing_columns(settings: Settings, definition: TableDefinition, known: Mapping[str, str]) -> Iterator[str]:
    for name, kind in definition.columns:
        if name not in known:
            added = _column(definition, name, kind)
            yield f"ALTER TABLE {table(settings, definition.name)} ADD COLUMN IF NOT EXISTS {added}"
        elif known[name] != kind:
            raise CatalogError(
                f"column {definition.name}.{name} is {known[name]}, the catalogue says {kind}: a type cannot change "
                "under the files that have landed; give the field another name"
            )


def _purchases(settings: Settings, catalogue: Catalogue) -> Iterator[str]:
    """The view of all types that sell; none if no type does."""
    selling = [known for known in catalogue if {ITEM, PRICE} <= {field.name for field in known.fields}]
    if selling:
        parts = "\nUNION ALL\n".join(_purchases_of(settings, event_type) for event_type in selling)
        yield f"CREATE OR REPLACE VIEW {table(settings, PURCHASES_VIEW)} AS\n{parts}"


def _purchases_of(settings: Settings, event_type: EventType) -> str:
    counted = any(field.name == QUANTITY for field in event_type.fields)
    pieces = f"coalesce({QUANTITY}, 1)" if counted else "BIGINT '1'"
    kind = literal(event_type.name.removeprefix(PURCHASE_PREFIX))
    return (
        f"SELECT event_id, event_time, event_date, user_id, CAST({kind} AS varchar) AS kind, {ITEM}, {PRICE}, "
        f"{pieces} AS {QUANTITY}, {PRICE} * {pieces} AS gold FROM {table(settings, event_type.name)}"
    )

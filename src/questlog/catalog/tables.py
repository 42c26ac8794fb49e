"""Creates the database with its tables, all external, and its views; adds what a later catalogue adds; drops it all.

Each event type is a view on table ``events``. The view ``purchases`` is over every type that has an item and a price,
so a new kind of item needs no new query.
Source: https://prestodb.io/docs/0.287/connector/hive.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from questlog.catalog.definitions import PARTITION_COLUMN, PURCHASES_VIEW, TableDefinition, definitions
from questlog.catalog.partitions import newest_version
from questlog.catalog.quoting import array, identifier, literal, schema, table
from questlog.errors import CatalogError
from questlog.events import CATALOGUE, Catalogue, EventType
from questlog.events.schema import EVENT_TYPE
from questlog.lake import layout, presto
from questlog.lake.hdfs import Hdfs
from questlog.lake.retry import retried
from questlog.settings import EVENTS_TABLE, Settings

ITEM, PRICE, QUANTITY = "item", "price", "quantity"
PURCHASE_PREFIX = "purchase_"
STATEMENTS_AT_A_TIME = 4
RACE_SECONDS = 10.0
"""How long a statement is tried again whose IF NOT EXISTS failed because another process created the same just then."""
FORMER_FOLDERS = f"{EVENT_TYPE}="
"""How folders of the former layout, partitioned by type and day, begin."""
FORMER_LEDGER = "ledger"
"""The former name of table ``batches``."""

Known = Mapping[str, Mapping[str, str]]
"""The columns' types of the tables and views that exist, by name."""


def statements(
    settings: Settings,
    catalogue: Catalogue = CATALOGUE,
    existing: Known | None = None,
    locations: Mapping[str, str] | None = None,
) -> list[str]:
    """The statements that bring the database from what exists to what the catalogue asks for.

    A missing table is created, a missing column is added, a view that lacks a column is replaced; nothing is ever
    dropped. A new column is there at once in every partition: Presto takes the table's columns and looks for each in
    the file by its name (`hive.parquet.use-column-names`). Where a file lacks it, it is null. No file is rewritten.

    Args:
        settings: where the tables lie.
        catalogue: the event types.
        existing: the columns of what exists.
        locations: where tables lie that do not lie in their first folder.

    Raises:
        CatalogError: when a column that exists has another type than the catalogue says.
    """
    return [each for stage in _stages(settings, catalogue, existing or {}, locations or {}) for each in stage]


def create(settings: Settings, catalogue: Catalogue = CATALOGUE, *, is_upgrade: bool = False) -> list[str]:
    """Create what is missing of folders, database, tables, columns and views; the names of what was created.

    Data of the former layout is refused, unless `is_upgrade`: then its files stay beside the new ones.

    Raises:
        CatalogError: when a name is taken, a column has another type, or the data is of the former layout.
        LakeError: when HDFS refuses.
        QueryError: when Presto refuses.
    """
    hdfs, wanted = Hdfs(settings), definitions(catalogue)
    if not is_upgrade:
        refuse_former_layout(hdfs, settings)
    existing = columns(settings)
    locations = {}
    for definition in wanted:
        if not definition.is_view and definition.name not in existing:
            locations[definition.name] = _make_location(hdfs, settings, definition)
    for stage in _stages(settings, catalogue, existing, locations):
        _side_by_side(settings, stage)
    return [definition.name for definition in wanted if definition.name not in existing]


def columns(settings: Settings) -> dict[str, dict[str, str]]:
    """The columns of the tables and views that exist: their types in Presto's spelling, by name and column."""
    found: dict[str, dict[str, str]] = {}
    catalog = identifier(settings.presto_catalog)
    for name, column, kind in presto.execute(
        settings,
        f"SELECT table_name, column_name, data_type FROM {catalog}.information_schema.columns "
        f"WHERE table_schema = {literal(settings.database)}",
    ):
        found.setdefault(name, {})[column] = kind
    return found


def views(settings: Settings) -> list[str]:
    """The names of the views that exist, in order."""
    found = presto.execute(
        settings,
        f"SELECT table_name FROM {identifier(settings.presto_catalog)}.information_schema.views "
        f"WHERE table_schema = {literal(settings.database)}",
    )
    return sorted(name for (name,) in found)


def drop(settings: Settings) -> None:
    """Drop the namespace: its views, tables and database, and its folders with all files, staging and checkpoint.

    Raises:
        LakeError: when HDFS refuses.
        QueryError: when Presto refuses; for one, the database holds a table that this package did not create.
    """
    hdfs = Hdfs(settings)
    for name in views(settings):
        presto.execute(settings, f"DROP VIEW IF EXISTS {table(settings, name)}")
    for name in (*layout.TABLES, *_former_tables(hdfs, settings)):
        # one by one: side by side, Derby's locks on partitions come to a deadlock
        presto.execute(settings, f"DROP TABLE IF EXISTS {table(settings, name)}")
    presto.execute(settings, f"DROP SCHEMA IF EXISTS {schema(settings)}")
    for path in (settings.warehouse, settings.staging, settings.checkpoint):
        hdfs.delete(path)


def refuse_former_layout(hdfs: Hdfs, settings: Settings) -> None:
    """Make sure that the files of ``events`` are partitioned by day alone.

    Raises:
        CatalogError: they are those of Questlog 0.1, partitioned by type and day.
    """
    if former := former_types(hdfs, settings):
        raise CatalogError(
            f"{settings.table_path(EVENTS_TABLE)} has the layout of Questlog 0.1 (it holds {former[0]}): "
            "run `questlog upgrade` once. It deletes nothing before the new table is verified."
        )


def former_types(hdfs: Hdfs, settings: Settings) -> list[str]:
    """The folders of the former layout, ``event_type=<type>``, in order."""
    names = [path.rsplit("/", 1)[1] for path in hdfs.folders(settings.table_path(EVENTS_TABLE))]
    return [name for name in names if name.startswith(FORMER_FOLDERS)]


def _former_tables(hdfs: Hdfs, settings: Settings) -> list[str]:
    types = [name.removeprefix(FORMER_FOLDERS) for name in former_types(hdfs, settings)]
    return [*types, FORMER_LEDGER] if types else []


def _make_location(hdfs: Hdfs, settings: Settings, definition: TableDefinition) -> str:
    """The folder that a new table gets: of files that are there already, the newest version."""
    home = settings.table_path(definition.name)
    if definition.is_partitioned:
        hdfs.make_folder(home)
        return home
    found = newest_version(hdfs, home) or layout.location(settings, definition.name)
    hdfs.make_folder(found)
    return found


def _stages(
    settings: Settings, catalogue: Catalogue, known: Known, locations: Mapping[str, str]
) -> Iterator[list[str]]:
    """The database; the tables; their columns; the views. The statements of one stage may run side by side."""
    wanted = definitions(catalogue)
    stored = [definition for definition in wanted if not definition.is_view]
    if not known:
        yield [_create_schema(settings)]
    new = [definition for definition in stored if definition.name not in known]
    yield [_create_table(settings, definition, locations) for definition in new]
    for definition in stored:
        if definition.name in known:  # one at a time: of two added at once, the metastore forgets one
            for statement in _missing_columns(settings, definition, known[definition.name]):
                yield [statement]
    outdated = [definition for definition in wanted if definition.is_view and _is_outdated(definition, known)]
    yield [_create_view(settings, definition) for definition in outdated]
    if outdated or PURCHASES_VIEW not in known:
        yield list(_purchases(settings, catalogue))


def _side_by_side(settings: Settings, stage: Sequence[str]) -> None:
    def execute(statement: str) -> None:
        retried(
            lambda: presto.statement(settings, statement),
            lambda error: isinstance(error, presto.AlreadyExists),
            RACE_SECONDS,
        )

    with ThreadPoolExecutor(STATEMENTS_AT_A_TIME) as pool:
        list(pool.map(execute, stage))


def _create_schema(settings: Settings) -> str:
    location = literal(f"{settings.hdfs_url}{settings.warehouse}")
    return f"CREATE SCHEMA IF NOT EXISTS {schema(settings)} WITH (location = {location})"


def _create_table(settings: Settings, definition: TableDefinition, locations: Mapping[str, str]) -> str:
    partition = (PARTITION_COLUMN,) if definition.is_partitioned else ()
    lines = ",\n  ".join(_column(definition, name, kind) for name, kind in (*definition.columns, *partition))
    return (
        f"CREATE TABLE IF NOT EXISTS {table(settings, definition.name)} (\n  {lines}\n)\n"
        f"COMMENT {literal(definition.description)}\n"
        f"WITH ({', '.join(_properties(settings, definition, locations))})"
    )


def _properties(settings: Settings, definition: TableDefinition, locations: Mapping[str, str]) -> Iterator[str]:
    partitioned = settings.table_path(definition.name)
    first = partitioned if definition.is_partitioned else layout.location(settings, definition.name)
    yield f"external_location = {literal(settings.hdfs_url + locations.get(definition.name, first))}"
    yield "format = 'PARQUET'"
    if definition.is_partitioned:
        yield f"partitioned_by = {array([PARTITION_COLUMN[0]])}"


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


def _is_outdated(definition: TableDefinition, known: Known) -> bool:
    return [name for name, _ in (*definition.columns, PARTITION_COLUMN)] != [*known.get(definition.name, ())]


def _create_view(settings: Settings, definition: TableDefinition) -> str:
    names = ", ".join(identifier(name) for name, _ in (*definition.columns, PARTITION_COLUMN))
    return (
        f"CREATE OR REPLACE VIEW {table(settings, definition.name)} AS\nSELECT {names}\n"
        f"FROM {table(settings, EVENTS_TABLE)}\nWHERE {identifier(EVENT_TYPE)} = {literal(definition.name)}"
    )


def _purchases(settings: Settings, catalogue: Catalogue) -> Iterator[str]:
    """The view of all types that sell; none if no type does."""
    selling = [known for known in catalogue if {ITEM, PRICE} <= {field.name for field in known.fields}]
    if selling:
        names = ", ".join(literal(known.name) for known in selling)
        pieces = _pieces(selling)
        kind = f"replace({EVENT_TYPE}, {literal(PURCHASE_PREFIX)}, '')"
        yield (
            f"CREATE OR REPLACE VIEW {table(settings, PURCHASES_VIEW)} AS\n"
            f"SELECT event_id, event_time, event_date, user_id, CAST({kind} AS varchar) AS kind, {ITEM}, {PRICE}, "
            f"{pieces} AS {QUANTITY}, {PRICE} * {pieces} AS gold\nFROM {table(settings, EVENTS_TABLE)}\n"
            f"WHERE {EVENT_TYPE} IN ({names})"
        )


def _pieces(selling: Sequence[EventType]) -> str:
    counted = any(field.name == QUANTITY for event_type in selling for field in event_type.fields)
    return f"coalesce({QUANTITY}, 1)" if counted else "BIGINT '1'"

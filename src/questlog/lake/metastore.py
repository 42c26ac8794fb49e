"""The Hive metastore by its own protocol: partition locations, new partitions, and the switch to another location.

Presto's SQL has no statement that changes a partition's location. A partition is called as Hive calls it, by its path
below the table: ``event_date=2026-01-05``; a table without partitions is its own only one, ``""``.
Source: https://github.com/apache/hive/blob/rel/release-3.1.3/standalone-metastore/src/main/thrift/hive_metastore.thrift
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pymetastore.hive_metastore import ThriftHiveMetastore
from pymetastore.hive_metastore.ttypes import (
    AddPartitionsRequest,
    EnvironmentContext,
    NoSuchObjectException,
    Partition,
)
from thrift.protocol.TBinaryProtocol import TBinaryProtocolAccelerated
from thrift.Thrift import TException
from thrift.transport.TSocket import TSocket
from thrift.transport.TTransport import TBufferedTransport, TTransportException

from questlog.errors import LakeError
from questlog.lake.retry import retried
from questlog.settings import Settings

ANSWER_SECONDS = 60
"""As Presto's ``hive.metastore-timeout``: a shorter wait would send a call again while the first still runs."""
ALL = -1
NO_STATISTICS = EnvironmentContext({"DO_NOT_UPDATE_STATS": "true"})
"""Otherwise the metastore lists each folder to count its files: nobody reads those counts."""

Result = TypeVar("Result")

Locations = Mapping[str, str]
"""Paths in HDFS, without a scheme, by partition."""


class Metastore:
    """The metastore at `Settings.metastore_uri`; of several, separated by commas, the first that answers.

    Args:
        settings: where it is, and which database to ask about.
        patience: seconds for which a call is repeated while the metastore is away; every call is idempotent.

    Raises:
        LakeError: from every method, when it refuses or is not reachable.
    """

    def __init__(self, settings: Settings, patience: float = 0.0) -> None:
        self._settings, self._patience = settings, patience

    def locations(self, table: str) -> dict[str, str]:
        """The location of each partition of a table; empty when there is no such table."""
        return self._patiently(lambda: self._locations(table))

    def add(self, table: str, locations: Locations) -> None:
        """Add partitions; one that is there already stays as and where it is.

        Raises:
            LakeError: also when there is no such table.
        """
        self._patiently(lambda: self._add(table, locations))

    def switch(self, table: str, locations: Locations) -> None:
        """Change the locations of partitions of a table, all of them in one step; no file is touched.

        Raises:
            LakeError: also when there is no such table or partition.
        """
        self._patiently(lambda: self._switch(table, locations))

    def _patiently(self, call: Callable[[], Result]) -> Result:
        try:
            return retried(call, lambda error: isinstance(error, TTransportException), self._patience)
        except TTransportException as error:
            raise LakeError(
                f"the metastore does not answer at {self._settings.metastore_uri}: {error.message}. "
                "Start it with `questlog up`."
            ) from error
        except TException as error:
            says = getattr(error, "message", None) or str(error)
            raise LakeError(f"the metastore refused: {type(error).__name__}: {says.splitlines()[0]}") from error

    def _locations(self, table: str) -> dict[str, str]:
        with self._client() as client:
            try:
                found = client.get_table(self._settings.database, table)
            except NoSuchObjectException:
                return {}
            if not found.partitionKeys:
                return {"": _path(found)}
            partitions = client.get_partitions(self._settings.database, table, ALL)
        return {_name(found, partition): _path(partition) for partition in partitions}

    def _add(self, table: str, locations: Locations) -> None:
        database = self._settings.database
        with self._client() as client:
            found = client.get_table(database, table)
            made = [self._partition(found, name, path) for name, path in locations.items()]
            asked = AddPartitionsRequest(database, table, made, ifNotExists=True, needResult=False)
            client.add_partitions_req(asked)

    def _switch(self, table: str, locations: Locations) -> None:
        database = self._settings.database
        with self._client() as client:
            found = client.get_table(database, table)
            if not found.partitionKeys:
                found.sd.location = self._settings.hdfs_url + locations[""]
                client.alter_table_with_environment_context(database, table, found, NO_STATISTICS)
                return
            partitions = client.get_partitions_by_names(database, table, list(locations))
            for partition in partitions:
                partition.sd.location = self._settings.hdfs_url + locations[_name(found, partition)]
            client.alter_partitions_with_environment_context(database, table, partitions, NO_STATISTICS)

    def _partition(self, table: Any, name: str, path: str) -> Partition:
        values = [part.split("=", 1)[1] for part in name.split("/")]
        made = Partition(values, table.dbName, table.tableName, sd=copy.copy(table.sd), parameters={})
        made.sd.location = self._settings.hdfs_url + path
        return made

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """A client whose connection lasts as long as the block."""
        transport = _connected(self._settings.metastore_uri)
        try:
            yield ThriftHiveMetastore.Client(TBinaryProtocolAccelerated(transport, fallback=True))
        finally:
            transport.close()


def _connected(uris: str) -> TBufferedTransport:
    """A connection to the first that answers."""
    *others, last = [urlsplit(uri.strip()) for uri in uris.split(",")]
    for uri in others:
        try:
            return _opened(uri.hostname, uri.port)
        except TTransportException:
            continue
    return _opened(last.hostname, last.port)


def _opened(host: str | None, port: int | None) -> TBufferedTransport:
    socket = TSocket(host, port)
    socket.setTimeout(ANSWER_SECONDS * 1000)
    transport = TBufferedTransport(socket)
    transport.open()
    return transport


def _name(table: Any, partition: Any) -> str:
    return "/".join(f"{key.name}={value}" for key, value in zip(table.partitionKeys, partition.values, strict=True))


def _path(owner: Any) -> str:
    path: str = urlsplit(owner.sd.location).path
    return path.rstrip("/")

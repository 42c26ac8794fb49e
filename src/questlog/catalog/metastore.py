"""The Hive metastore by its own protocol: where partitions and tables lie, new ones, and another place for old ones.

Presto's SQL has no statement that gives a partition another place. A partition is called as Hive calls it, by its path
below the table: ``event_type=page_view/event_date=2026-01-05``; a table without partitions is its own only one, ``""``.
Source: https://github.com/apache/hive/blob/rel/release-3.1.3/standalone-metastore/src/main/thrift/hive_metastore.thrift
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
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

from questlog.errors import CatalogError
from questlog.settings import Settings

ANSWER_SECONDS = 60
"""As Presto's ``hive.metastore-timeout``: a shorter wait would send a call again while the first still runs."""
ALL = -1
NO_STATISTICS = EnvironmentContext({"DO_NOT_UPDATE_STATS": "true"})
"""Otherwise the metastore lists each folder to count its files: nobody reads those counts."""

Places = Mapping[str, str]
"""Paths in HDFS, without a scheme, by partition."""


class Metastore:
    """The metastore at `Settings.metastore_uri`; of several, separated by commas, the first that answers.

    Raises:
        CatalogError: from every method, when it refuses or is not reachable.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def places(self, table: str) -> dict[str, str]:
        """Where each partition of a table lies; empty when there is no such table."""
        with self._client() as client:
            try:
                found = client.get_table(self._settings.database, table)
            except NoSuchObjectException:
                return {}
            if not found.partitionKeys:
                return {"": _path(found)}
            partitions = client.get_partitions(self._settings.database, table, ALL)
        return {_name(found, partition): _path(partition) for partition in partitions}

    def add(self, table: str, places: Places) -> None:
        """Make partitions known; one that is known already stays as and where it is.

        Raises:
            CatalogError: also when there is no such table.
        """
        database = self._settings.database
        with self._client() as client:
            found = client.get_table(database, table)
            made = [self._partition(found, name, path) for name, path in places.items()]
            asked = AddPartitionsRequest(database, table, made, ifNotExists=True, needResult=False)
            client.add_partitions_req(asked)

    def move(self, table: str, places: Places) -> None:
        """Give partitions of a table other places, all of them in one step; no file is touched.

        Raises:
            CatalogError: also when there is no such table or partition.
        """
        database = self._settings.database
        with self._client() as client:
            found = client.get_table(database, table)
            if not found.partitionKeys:
                found.sd.location = self._settings.hdfs_url + places[""]
                client.alter_table_with_environment_context(database, table, found, NO_STATISTICS)
                return
            partitions = client.get_partitions_by_names(database, table, list(places))
            for partition in partitions:
                partition.sd.location = self._settings.hdfs_url + places[_name(found, partition)]
            client.alter_partitions_with_environment_context(database, table, partitions, NO_STATISTICS)

    def _partition(self, table: Any, name: str, path: str) -> Partition:
        values = [part.split("=", 1)[1] for part in name.split("/")]
        made = Partition(values, table.dbName, table.tableName, sd=copy.copy(table.sd), parameters={})
        made.sd.location = self._settings.hdfs_url + path
        return made

    @contextmanager
    def _client(self) -> Iterator[Any]:
        """A client whose connection lasts as long as the block; errors of the library become ours."""
        transport = None
        try:
            transport = _connected(self._settings.metastore_uri)
            yield ThriftHiveMetastore.Client(TBinaryProtocolAccelerated(transport, fallback=True))
        except TTransportException as error:
            raise CatalogError(
                f"the metastore does not answer at {self._settings.metastore_uri}: {error.message}. "
                "Start it with `questlog up`."
            ) from error
        except TException as error:
            says = getattr(error, "message", None) or str(error)
            raise CatalogError(f"the metastore refused: {type(error).__name__}: {says.splitlines()[0]}") from error
        finally:
            if transport is not None:
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

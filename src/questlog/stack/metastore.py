"""The Hive metastore, on Derby or PostgreSQL: says which tables there are, and where their files lie."""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path

from questlog.errors import ServiceDied
from questlog.settings import Settings
from questlog.stack import artifacts, configure, hdfs, service
from questlog.stack.byteman import agent
from questlog.stack.java import java17
from questlog.stack.service import Service

NAME = "metastore"
HEAP = "384m"
MAIN = "org.apache.hadoop.hive.metastore.HiveMetaStore"
SCHEMA_TOOL = "org.apache.hadoop.hive.metastore.tools.MetastoreSchemaTool"
SCRIPTS = Path("scripts", "metastore", "upgrade", "derby")
# Hadoop 3.4 needs and brings a newer guava; the metastore has its own bridge to its own log4j.
NOT_BESIDE = ("guava-19.0", "slf4j-reload4j")
CLOB, TEXT = '"PARAM_VALUE" CLOB', '"PARAM_VALUE" VARCHAR(32672)'

CALL, REPLY = 0x80010001, 0x80010002  # Thrift's binary protocol: version 1, and the type of message
LIST_OF_DATABASES = b"get_all_databases"
DEFAULT_DATABASE = b"default"
END = b"\0"  # of a structure without further fields


def service_of(settings: Settings) -> Service:
    """The metastore, ready when it lists its databases."""
    log = settings.logs_dir / f"{NAME}.log"
    options = (
        f"-Xmx{HEAP}",
        service.QUICK,
        f"-Dlog4j2.configurationFile={settings.conf_dir / 'hive' / 'log4j2.properties'}",
        f"-Dderby.stream.error.file={settings.logs_dir / 'derby.log'}",
    )
    program = partial(service.java, java17() / "bin" / "java", classpath=_classpath(settings))
    environment = hdfs.environment(settings)

    def schema_tool(*arguments: str, home: Path, also: tuple[str, ...] = ()) -> None:
        command = program(SCHEMA_TOOL, *arguments, options=(*options, *also))
        service.run(command, log, {**environment, "METASTORE_HOME": str(home)})

    prepare = _prepare_postgresql if settings.metastore_db_url else _prepare_derby
    return Service(
        name=NAME,
        command=program(MAIN, options=(*options, agent(settings, settings.conf_dir / "hive" / "listen.btm"))),
        environment=environment,
        directory=settings.data_dir,
        log=log,
        ports=(settings.metastore_port,),
        prepare=lambda: prepare(settings, schema_tool),
        ready=lambda: lists_databases(settings.host, settings.metastore_port),
    )


def _prepare_derby(settings: Settings, schema_tool: Callable[..., None]) -> None:
    data = settings.data_dir / NAME

    def make() -> None:
        home = _home(artifacts.unpacked(settings.cache_dir, NAME), data / "schema")
        url = configure.values(settings, settings.conf_dir)["metastore_jdbc_url"]
        # Only here may Derby make a database: a metastore that has lost its own must not go on with an empty one.
        creating = f"-Djavax.jdo.option.ConnectionURL={url};create=true"
        schema_tool("-dbType", "derby", "-initSchema", home=home, also=(creating,))

    service.once(data, make)


def _prepare_postgresql(settings: Settings, schema_tool: Callable[..., None]) -> None:
    """Ask the database each time: it outlives this data folder, and alone knows whether it has the schema."""
    home = artifacts.unpacked(settings.cache_dir, NAME)
    try:
        schema_tool("-dbType", "postgres", "-info", home=home)
    except ServiceDied:
        schema_tool("-dbType", "postgres", "-initSchema", home=home)


def lists_databases(host: str, port: int) -> bool:
    """Whether the metastore answers the Thrift call `get_all_databases`, naming the one that is always there."""
    call = struct.pack(">Ii", CALL, len(LIST_OF_DATABASES)) + LIST_OF_DATABASES + struct.pack(">i", 0) + END
    answer = service.ask_bytes(host, port, call, lambda answer: answer.endswith(END) and len(answer) > len(call))
    return answer[:4] == struct.pack(">I", REPLY) and DEFAULT_DATABASE in answer


def _classpath(settings: Settings) -> list[Path]:
    own = sorted(artifacts.unpacked(settings.cache_dir, NAME).glob("lib/*.jar"))
    others = [*artifacts.classpath(settings.cache_dir, NAME), *artifacts.classpath(settings.cache_dir, "hdfs")]
    conf = (settings.conf_dir / "hive", configure.hadoop_conf_dir(settings))
    return [*conf, *(jar for jar in (*own, *others) if not jar.name.startswith(NOT_BESIDE))]


def _home(unpacked: Path, home: Path) -> Path:
    """A METASTORE_HOME whose schema Presto can use: Derby cannot compare a CLOB, and listing tables does."""
    shutil.copytree(unpacked / SCRIPTS, home / SCRIPTS)
    for script in (home / SCRIPTS).glob("hive-schema-*.sql"):
        script.write_text(script.read_text().replace(CLOB, TEXT))
    return home

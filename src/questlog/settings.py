"""The settings: where every server listens, where data lies, and what everything is called.

One frozen object, and the only place that reads the environment. Each field can be set by a variable of the same
name with the prefix ``QUESTLOG_`` (``QUESTLOG_PORT_OFFSET=1000``). What one fact implies is derived here: a port
gives an endpoint, the namespace gives the names of topic, database and folders.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from questlog.errors import SettingsError

PREFIX = "QUESTLOG_"
EVENTS_TABLE = "events"
DEAD_LETTERS_TABLE = "dead_letters"
BATCHES_TABLE = "batches"
PROGRESS_TABLE = "stream_progress"
KEY_HEADER = "X-API-Key"
FOLLOWS_FROM_ANOTHER = "default_factory_not_called"  # pydantic: another field's error left this default open

API_KEY = re.compile(r"[A-Za-z0-9._~+/=-]{16,128}")  # what fits into a header, and cannot be guessed
HIDDEN = "**********"  # as pydantic shows a secret

Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]  # servers run in another directory


def _parts(given: object) -> object:
    return tuple(part.strip() for part in given.split(",") if part.strip()) if isinstance(given, str) else given


def _keys(given: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
    if not all(API_KEY.fullmatch(key.get_secret_value()) for key in given):
        raise ValueError(f"each key has to match {API_KEY.pattern}; several are separated by commas")
    return given


# From a variable it comes as it is written there, not as JSON.
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_parts), AfterValidator(_keys)]


def _port(base: int, what: str) -> Any:
    return Field(default_factory=lambda known: base + known["port_offset"], ge=1, le=65535, description=what)


def _derived(how: Callable[[dict[str, Any]], str], what: str) -> Any:
    return Field(default_factory=how, description=what)


class Settings(BaseSettings):
    """Every setting, immutable.

    Raises:
        SettingsError: from `load`, when a value is not allowed.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    data_dir: Folder = Field(
        default_factory=lambda: platformdirs.user_data_path("questlog"),
        description="State of the local servers: their data, logs and configuration.",
    )
    cache_dir: Folder = Field(
        default_factory=lambda: platformdirs.user_cache_path("questlog"),
        description="The engines' jars, fetched once for all clones, and archives of Spark's classes.",
    )
    namespace: str = Field(
        default="questlog",
        pattern=r"^[a-z][a-z0-9_]{0,47}$",
        description="Names the topic, the database and the folders of one pipeline.",
    )

    host: str = Field(default="127.0.0.1", description="Address on which the local servers listen.")
    advertised_host: str = Field(
        default="", description="Name by which other machines reach this one's DataNode or Spark; empty: as it listens."
    )
    port_offset: int = Field(default=0, ge=0, le=50000, description="Added to every default port: a second stack.")
    api_port: int = _port(5000, "Port of the API server.")
    kafka_port: int = _port(9092, "Port of Kafka's listener for clients.")
    kafka_controller_port: int = _port(9093, "Port of Kafka's KRaft controller.")
    namenode_port: int = _port(8020, "Port of the NameNode's RPC.")
    namenode_web_port: int = _port(9870, "Port of the NameNode's web pages and WebHDFS.")
    datanode_port: int = _port(9866, "Port on which the DataNode passes blocks.")
    datanode_ipc_port: int = _port(9867, "Port of the DataNode's RPC.")
    datanode_web_port: int = _port(9864, "Port of the DataNode's web pages and WebHDFS.")
    metastore_port: int = _port(9083, "Port of the Hive metastore's Thrift service.")
    presto_port: int = _port(8080, "Port of Presto.")
    stream_web_port: int = _port(4040, "Port of Spark's page of the stream that `up` runs; its standby's is the next.")
    spark_master_web_port: int = _port(8090, "Port of the page of Spark's own master, in containers.")
    spark_worker_web_port: int = _port(8091, "Port of the page of that master's worker.")
    jupyter_port: int = _port(8888, "Port of JupyterLab, in containers.")

    api_url: str = _derived(lambda s: f"http://{s['host']}:{s['api_port']}", "The API server.")
    kafka_bootstrap: str = _derived(lambda s: f"{s['host']}:{s['kafka_port']}", "Kafka's bootstrap servers.")
    hdfs_url: str = _derived(lambda s: f"hdfs://{s['host']}:{s['namenode_port']}", "HDFS, for Spark, Hive and Presto.")
    webhdfs_url: str = _derived(
        lambda s: f"http://{s['host']}:{s['namenode_web_port']}",
        "WebHDFS, for Python; several NameNodes, separated by semicolons.",
    )
    hdfs_user: str = Field(default="questlog", description="The user that owns the files in HDFS.")
    metastore_uri: str = _derived(lambda s: f"thrift://{s['host']}:{s['metastore_port']}", "The Hive metastore.")
    metastore_db_url: str = Field(
        default="",
        pattern=r"^(jdbc:postgresql://.+)?$",
        description="JDBC address of the metastore's PostgreSQL; empty: Derby in the data folder.",
    )
    metastore_db_user: str = Field(default="questlog", description="The metastore's user of PostgreSQL.")
    metastore_db_password: SecretStr = Field(default=SecretStr(""), description="That user's password.")
    presto_url: str = _derived(lambda s: f"http://{s['host']}:{s['presto_port']}", "Presto's coordinator.")
    presto_catalog: str = Field(default="hive", description="Presto's catalog that reads the Hive metastore.")
    spark_master: str = Field(default="local[2]", description="Spark's master.")
    spark_driver_memory: str = Field(default="2g", description="Heap of Spark's driver.")
    spark_ui_port: int = Field(default=0, ge=0, le=65535, description="Port of Spark's own page; 0 for none.")

    topic_partitions: int = Field(default=4, ge=1, le=1000, description="Partitions of a new topic.")
    topic_replication: int = Field(default=1, ge=1, le=9, description="Replicas of a new topic.")
    dedup_days: float = Field(
        default=7, ge=0, le=366, description="Days for which a duplicate is recognised by its event_id."
    )
    dedup_events: int = Field(
        default=20_000_000,
        ge=1000,
        le=1_000_000_000,
        description="Most events in the dedup index, 32 bytes each in the stream's memory; the stream stops at more.",
    )
    lease_seconds: float = Field(
        default=5,
        ge=1,
        le=600,
        description="Seconds without renewal after which another process takes the writer lease over.",
    )
    compact_minutes: float = Field(
        default=5, ge=0, le=10_080, description="Minutes between two compactions by the stream; 0 for none."
    )
    compact_files: int = Field(
        default=8, ge=2, le=100_000, description="Small files of a partition from which on they are merged."
    )
    compact_megabytes: int = Field(
        default=64, ge=1, le=1024, description="Size of merged files; those of half of it and more stay as they are."
    )
    compact_grace: float = Field(
        default=3600,
        ge=0,
        description="Seconds for which a replaced partition folder is kept: longer than the longest query takes.",
    )
    fault_point: str = Field(
        default="", description="Where the stream is killed, for tests of its recovery (questlog.stream.faults)."
    )
    progress_seconds: float = Field(
        default=10, ge=0.5, le=3600, description="Seconds between two files of the stream's progress."
    )
    api_workers: int = Field(default=2, ge=1, le=64, description="Processes of the API server.")
    api_threads: int = Field(default=32, ge=1, le=512, description="Threads of each process of the API server.")
    ack_timeout: float = Field(default=0.8, gt=0, le=30, description="Seconds a request waits for Kafka before a 503.")
    read_timeout: float = Field(
        default=10,
        ge=0.5,
        le=60,
        description="Seconds a client may take to send a request's headers, and again its body.",
    )
    max_body_bytes: int = Field(default=1_048_576, ge=1024, description="Largest body of a request, in bytes.")
    max_batch_events: int = Field(default=1000, ge=1, description="Most events in one NDJSON body.")
    max_query_bytes: int = Field(default=8192, ge=256, le=65_000, description="Longest query string, in bytes.")
    max_header_count: int = Field(default=64, ge=8, le=100, description="Most headers of a request.")
    max_header_bytes: int = Field(
        default=16_384, ge=1024, le=1_048_576, description="Largest headers of a request, names and values, in bytes."
    )
    max_fields: int = Field(
        default=100, ge=8, description="Most parameters of a query or form, or fields of an object."
    )
    max_json_depth: int = Field(
        default=8, ge=1, le=100, description="How deep JSON may be nested; an object is 1 deep."
    )
    rate_limit: int = Field(
        default=0, ge=0, le=1_000_000, description="Requests a second that one address may write with; 0 for no limit."
    )
    api_keys: Secrets = Field(
        default=(),
        description=f"Keys, separated by commas: to write, {KEY_HEADER} has to hold one of them; empty: open.",
    )
    api_access_log: bool = Field(default=True, description="Whether the API server logs every request.")

    @classmethod
    def load(cls, **given: Any) -> Settings:
        """Settings from the environment, with `given` fields put above it.

        Raises:
            SettingsError: names each field, its value and what is allowed.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            problems = [dict(problem) for problem in error.errors() if problem["type"] != FOLLOWS_FROM_ANOTHER]
            wrong = "; ".join(_explain(problem) for problem in problems)
            raise SettingsError(f"{wrong}. `questlog settings` lists them all.") from error

    def in_namespace(self, namespace: str, **given: Any) -> Settings:
        """The same servers, with another pipeline's topic, database and folders."""
        mine = {name: getattr(self, name) for name in type(self).model_fields if name not in given}
        return type(self).load(**{**mine, **given, "namespace": namespace})

    def variables(self) -> dict[str, str]:
        """Every setting but the secrets as its environment variable, for files and commands that others may see."""
        return {_variable(name): str(value) for name, value in self if not _is_secret(name)}

    def environment(self) -> dict[str, str]:
        """The whole environment for a child process that is to load the same settings, secrets included."""
        return {**os.environ, **self.variables(), **self._secrets()}

    @property
    def topic(self) -> str:
        """The topic of the events, as the API writes and the stream reads it."""
        return f"{self.namespace}_events"

    @property
    def database(self) -> str:
        """The Hive database (Presto's schema) of the tables."""
        return self.namespace

    @property
    def warehouse(self) -> str:
        """Path in HDFS under which the database's tables lie."""
        return f"/warehouse/{self.namespace}"

    def table_path(self, table: str) -> str:
        """Path in HDFS of one table's files."""
        return f"{self.warehouse}/{table}"

    @property
    def staging(self) -> str:
        """Path in HDFS of files that are being written, outside every table."""
        return f"/staging/{self.namespace}"

    @property
    def checkpoint(self) -> str:
        """Path in HDFS of the stream's checkpoint."""
        return f"/checkpoints/{self.namespace}"

    @property
    def metrics_dir(self) -> Path:
        """Folder of the API's counters, shared by its worker processes."""
        return self.data_dir / "metrics" / self.namespace

    @property
    def conf_dir(self) -> Path:
        """Folder of the local servers' rendered configuration; Spark reads its `hadoop`."""
        return self.data_dir / "conf"

    @property
    def logs_dir(self) -> Path:
        """Folder of the local servers' logs."""
        return self.data_dir / "logs"

    def _secrets(self) -> dict[str, str]:
        given = {name: getattr(self, name) for name in type(self).model_fields if _is_secret(name)}
        several = {name: value if isinstance(value, tuple) else (value,) for name, value in given.items()}
        texts = {name: ",".join(each.get_secret_value() for each in value) for name, value in several.items()}
        return {_variable(name): text for name, text in texts.items() if text}


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _is_secret(name: str) -> bool:
    field = Settings.model_fields.get(name)
    return field is not None and field.annotation in (SecretStr, tuple[SecretStr, ...])


def _explain(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0])
    shown = HIDDEN if _is_secret(name) else repr(problem["input"])
    return f"setting {name} ({_variable(name)}) is {shown}: {problem['msg']}"

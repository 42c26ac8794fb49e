"""Renders the servers' configuration from the templates in conf/.

The local stack and docker-compose use the same templates: where a server listens is one value, what its clients are
told another.
"""

from __future__ import annotations

import ipaddress
import shutil
import socket
from pathlib import Path
from string import Template
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

from questlog.paths import CONF
from questlog.settings import Settings

HADOOP = "hadoop"
PRIVATE = 0o600
RECORD_TO_BODY = 2  # Kafka's largest record, as a multiple of the API's largest body


def hadoop_conf_dir(settings: Settings) -> Path:
    """The folder with the core-site.xml and hdfs-site.xml of the local stack: the HADOOP_CONF_DIR of every client."""
    return settings.conf_dir / HADOOP


def render(settings: Settings, destination: Path, **given: str | Path) -> None:
    """Write every template of conf/ into `destination`, with its values filled in.

    `given` goes above the values of `values`: paths inside a container, host names, a database of one's own.
    """
    known = values(settings, destination.resolve()) | {name: str(value) for name, value in given.items()}
    for template in sorted(CONF.rglob("*.*")):
        file = destination / template.relative_to(CONF)
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}")
        part.touch(PRIVATE)  # the metastore's holds a password
        part.write_text(_filled(template, known))
        part.replace(file)
    _add_web_pages(destination / HADOOP / "webapps")


def rendered(settings: Settings, template: str) -> str:
    """What one template, named by its path in conf/, says for the local stack."""
    return _filled(CONF / template, values(settings, settings.conf_dir))


def values(settings: Settings, destination: Path) -> dict[str, str]:
    """Every setting by its name, and what follows from it, for a local stack."""
    data = settings.data_dir.resolve()
    kafka_host = settings.kafka_bootstrap.split(",")[0].rpartition(":")[0]
    return {
        **{name: str(value) for name, value in settings},
        "conf_dir": str(destination),
        "bind_ip": address(settings.host),
        "kafka_host": kafka_host,
        "kafka_dir": str(data / "kafka"),
        "kafka_message_max_bytes": str(settings.max_body_bytes * RECORD_TO_BODY),
        "hdfs_address": urlsplit(settings.hdfs_url).netloc,
        "webhdfs_address": urlsplit(settings.webhdfs_url).netloc,
        "datanode_host": settings.advertised_host or settings.host,
        "namenode_url": (data / "namenode").as_uri(),
        "datanode_url": (data / "datanode").as_uri(),
        "hadoop_tmp_dir": str(data / "tmp"),
        **_metastore_database(settings),
        "presto_dir": str(data / "presto"),
        "presto_host": urlsplit(settings.presto_url).hostname or settings.host,
    }


def _metastore_database(settings: Settings) -> dict[str, str]:
    if settings.metastore_db_url:
        return {
            "metastore_jdbc_url": settings.metastore_db_url,
            "metastore_jdbc_driver": "org.postgresql.Driver",
            "metastore_jdbc_user": settings.metastore_db_user,
            "metastore_jdbc_password": settings.metastore_db_password.get_secret_value(),
        }
    return {
        "metastore_jdbc_url": f"jdbc:derby:;databaseName={settings.data_dir.resolve() / 'metastore' / 'db'}",
        "metastore_jdbc_driver": "org.apache.derby.jdbc.EmbeddedDriver",
        "metastore_jdbc_user": "APP",
        "metastore_jdbc_password": "mine",  # Derby, in the process itself, asks for none
    }


def _filled(template: Path, known: dict[str, str]) -> str:
    if template.suffix == ".xml":
        known = {name: escape(value) for name, value in known.items()}
    return Template(template.read_text()).substitute(known)


def address(host: str) -> str:
    """The IP address of a host: Presto does not take a name for the address it listens on."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return socket.gethostbyname(host)


def _add_web_pages(webapps: Path) -> None:
    """Empty folders for the web pages that Hadoop's jars lack: without them both daemons refuse to start."""
    for name in ("hdfs", "datanode"):
        shutil.rmtree(webapps / name, ignore_errors=True)
        (webapps / name).mkdir(parents=True)

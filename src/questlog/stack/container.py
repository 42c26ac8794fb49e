"""One server in the foreground, as a container's only process, by the same definition and configuration as locally.

Beside the servers of the local stack there are those that a single machine does without: Spark's own master and worker,
the stream as a service of its own, and JupyterLab.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from questlog.errors import NotReady, SettingsError, SetupError, StackError
from questlog.paths import BOOK
from questlog.settings import PREFIX, Settings
from questlog.stack import configure, hdfs, home, local, ports, service, stream
from questlog.stack.java import java17
from questlog.stack.service import Service

SPARK_MASTER, SPARK_WORKER, JUPYTER = "spark", "worker", "jupyter"
DAEMON_HEAP = "512m"


def serve(settings: Settings, name: str) -> NoReturn:
    """Prepare one server, then become it: this process is replaced by the server's, with its signals and exit code.

    Raises:
        SetupError: Java or an engine's files are missing.
        StackError: there is no such server, or the data folder is not this stack's.
        PortTaken: a port belongs to somebody else.
        ServiceDied: it could not be prepared; the message quotes its log.
    """
    server = service_of(settings, name)
    ports.check(settings.host, [server])
    home.claim(settings)
    configure.render(settings, settings.conf_dir)
    server.prepare()
    server.directory.mkdir(parents=True, exist_ok=True)
    os.chdir(server.directory)
    os.execve(server.command[0], server.command, {**settings.environment(), **server.environment})


def check_ready(settings: Settings, name: str) -> None:
    """Return when the server answers its readiness question.

    Raises:
        NotReady: it does not.
        StackError: there is no such server.
    """
    if not service_of(settings, name).ready():
        raise NotReady(f"{name} does not answer yet: its output says what it is doing.")


def service_of(settings: Settings, name: str) -> Service:
    """The definition of one server.

    Raises:
        SetupError: Java or an engine's files are missing.
        SettingsError: it is one of Spark's, and `spark_master` names no master to be.
        StackError: there is no such server.
    """
    if name not in SERVICES:
        raise StackError(f"there is no server {name!r}; there are {', '.join(SERVICES)}.")
    return SERVICES[name](settings)


def spark_master(settings: Settings) -> Service:
    """Spark's standalone master, ready when its page says that it is alive with a worker or without."""
    host, port = _master_address(settings)
    page = settings.spark_master_web_port
    return _spark_daemon(
        settings,
        SPARK_MASTER,
        ("org.apache.spark.deploy.master.Master", "--host", host, "--port", str(port), "--webui-port", str(page)),
        ports=(port, page),
        ready=lambda: (_page(settings, page) or {}).get("status") == "ALIVE",
    )


def spark_worker(settings: Settings) -> Service:
    """A worker of the master that `spark_master` names, ready when it is registered there."""
    _master_address(settings)
    page = settings.spark_worker_web_port
    host = settings.advertised_host or settings.host
    folder = settings.data_dir / "spark" / "work"
    return _spark_daemon(
        settings,
        SPARK_WORKER,
        (
            *("org.apache.spark.deploy.worker.Worker", settings.spark_master, "--host", host),
            *("--webui-port", str(page), "--work-dir", str(folder)),
        ),
        ports=(page,),
        # It knows the address of its master's page from the moment that the master has accepted it.
        ready=lambda: bool((_page(settings, page) or {}).get("masterwebuiurl")),
    )


def jupyter(settings: Settings) -> Service:
    """JupyterLab with the chapters; its token is what JUPYTER_TOKEN says, or a random one that its output names."""
    url = f"http://{settings.host}:{settings.jupyter_port}"
    options = ("--no-browser", f"--ip={settings.host}", f"--port={settings.jupyter_port}", "--ServerApp.port_retries=0")
    return Service(
        name=JUPYTER,
        command=(sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={BOOK}"),
        environment=settings.variables(),
        directory=settings.data_dir,
        log=settings.logs_dir / f"{JUPYTER}.log",
        ports=(settings.jupyter_port,),
        web=url,
        ready=lambda: "version" in (service.ask_json(f"{url}/api") or {}),
    )


SERVICES: dict[str, Callable[[Settings], Service]] = {
    **{engine.NAME: engine.service_of for engine in local.ENGINES},
    SPARK_MASTER: spark_master,
    SPARK_WORKER: spark_worker,
    stream.NAME: stream.service_of,
    JUPYTER: jupyter,
}


def _spark_daemon(
    settings: Settings, name: str, command: tuple[str, ...], *, ports: tuple[int, ...], ready: Callable[[], bool]
) -> Service:
    return Service(
        name=name,
        command=(str(_pyspark() / "bin" / "spark-class"), *command),
        environment={
            **hdfs.environment(settings),
            "JAVA_HOME": str(java17()),
            "HADOOP_CONF_DIR": str(configure.hadoop_conf_dir(settings)),  # inherited by a worker's executors
            "SPARK_DAEMON_MEMORY": DAEMON_HEAP,
            "SPARK_LOCAL_IP": settings.host,  # where its page listens
            "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",  # it would take programs from anybody who asks
            "SPARK_WORKER_OPTS": "-Dspark.worker.cleanup.enabled=true",  # a stream that restarts leaves its jars behind
        },
        directory=settings.data_dir,
        log=settings.logs_dir / f"{name}.log",
        ports=ports,
        ready=ready,
    )


def _master_address(settings: Settings) -> tuple[str, int]:
    address = urlsplit(settings.spark_master)
    if address.scheme != "spark" or not address.hostname or not address.port:
        raise SettingsError(
            f"setting spark_master ({PREFIX}SPARK_MASTER) is {settings.spark_master!r}, and Spark's master and worker "
            "need its address: spark://HOST:7077."
        )
    return address.hostname, address.port


def _page(settings: Settings, port: int) -> dict[str, str] | None:
    """What a daemon's page says as JSON (https://spark.apache.org/docs/latest/spark-standalone.html)."""
    answer: dict[str, str] | None = service.ask_json(f"http://{settings.host}:{port}/json/")
    return answer


def _pyspark() -> Path:
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise SetupError("pyspark is not installed: run scripts/setup first.")
    return Path(spec.origin).parent

"""Presto: coordinator and worker in one process, with the Hive connector."""

from __future__ import annotations

from questlog.settings import Settings
from questlog.stack import artifacts, configure, hdfs, service
from questlog.stack.byteman import agent
from questlog.stack.java import java11
from questlog.stack.service import Service

NAME = "presto"
MAIN = "com.facebook.presto.server.PrestoServer"
UNVERIFIED = "-XX:-BytecodeVerificationRemote"  # a sixth of its start; the jars' checksums were verified instead


def service_of(settings: Settings) -> Service:
    """Presto, ready when its coordinator has started and counts an active worker."""
    conf = settings.conf_dir / "presto"
    options = (
        f"@{conf / 'jvm.config'}",
        UNVERIFIED,
        f"-Dconfig={conf / 'config.properties'}",
        *_node_options(settings),
        f"-Dlog.levels-file={conf / 'log.properties'}",
        f"-Dplugin.bundles={artifacts.unpacked(settings.cache_dir, 'presto-hive')}",
        agent(settings, conf / "listen.btm", conf / "patience.btm"),
    )
    jars = artifacts.classpath(settings.cache_dir, NAME)
    url = f"http://{settings.host}:{settings.presto_port}"
    return Service(
        name=NAME,
        command=service.java(java11(settings.cache_dir), MAIN, classpath=jars, options=options),
        environment=hdfs.environment(settings),
        directory=settings.data_dir / NAME,
        log=settings.logs_dir / f"{NAME}.log",
        ports=(settings.presto_port,),
        web=f"{url}/ui/",
        ready=lambda: has_an_active_worker(url),
    )


def has_an_active_worker(url: str) -> bool:
    """Whether Presto says that it has started, and that there is a worker to run a query on."""
    info = service.ask_json(f"{url}/v1/info") or {"starting": True}
    return not info["starting"] and (service.ask_json(f"{url}/v1/cluster") or {}).get("activeWorkers", 0) >= 1


def _node_options(settings: Settings) -> list[str]:
    """node.properties as options of Java, which is how Presto's own launcher hands them over."""
    lines = configure.rendered(settings, "presto/node.properties").splitlines()
    return [f"-D{line}" for line in lines if line and not line.startswith("#")]

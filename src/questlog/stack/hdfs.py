"""What NameNode and DataNode have in common."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from questlog.settings import Settings
from questlog.stack import artifacts, configure, service
from questlog.stack.java import java17

HEAP = "256m"
OPENED = ("--add-opens", "java.base/java.lang=ALL-UNNAMED")  # WebHDFS makes classes there, as Java 8 allowed


class Program(Protocol):
    """A Java program of HDFS as a command."""

    def __call__(self, main: str, *arguments: str) -> tuple[str, ...]:
        """The command that runs the class `main`."""


def program(settings: Settings) -> Program:
    """Commands for HDFS's programs, with their configuration on the class path."""
    conf = configure.hadoop_conf_dir(settings)
    return partial(
        service.java,
        java17() / "bin" / "java",
        classpath=(conf, *artifacts.classpath(settings.cache_dir, "hdfs")),
        options=(f"-Xmx{HEAP}", service.QUICK, *OPENED),
    )


def environment(settings: Settings) -> dict[str, str]:
    """The user in whose name a client of HDFS acts; the NameNode's own is the superuser."""
    return {"HADOOP_USER_NAME": settings.hdfs_user}


def state(settings: Settings) -> Mapping[str, Any]:
    """The NameNode's account of the file system (its JMX bean FSNamesystemState); empty while it does not answer."""
    bean = "Hadoop:service=NameNode,name=FSNamesystemState"
    answer = service.ask_json(f"{settings.webhdfs_url}/jmx?qry={bean}") or {}
    beans = answer.get("beans") or [{}]
    found: Mapping[str, Any] = beans[0]
    return found

"""The stream as a service: `questlog stream`, restarted when it dies, and a second one as its standby.

Both run the same command. The one that has no writer lease waits for it, warm, and takes over when the other has died.
"""

from __future__ import annotations

import itertools
import sys

from questlog.settings import Settings
from questlog.stack import service
from questlog.stack.service import Service

NAME = "stream"
NAMES = (f"{NAME}-1", f"{NAME}-2")
"""The streams that a local stack may run."""
NEEDS = ("kafka", "namenode", "datanode", "metastore", "presto")
REFUSED = 78
"""Exit status of a stream for which a restart would not help; ``EX_CONFIG`` of BSD's sysexits."""
WAITS = "standby: waiting for the writer lease of"
"""The beginning of the line that a standby writes once it is warm."""
STOPS = 90
"""Seconds from SIGTERM to SIGKILL: the running micro-batch is landed first."""


def service_of(settings: Settings, name: str = NAME, trigger: float = 1) -> Service:
    """The stream, ready when its driver tells its metrics on Spark's page: it needs a `spark_ui_port`.

    Args:
        settings: where everything is.
        name: of the service and its log.
        trigger: seconds between micro-batches.
    """
    page = f"http://{settings.host}:{settings.spark_ui_port}"
    return Service(
        name=name,
        command=(sys.executable, "-m", "questlog", "stream", "--trigger", f"{trigger:g}"),
        environment=settings.variables(),
        directory=settings.data_dir,
        log=settings.logs_dir / f"{name}.log",
        ports=(settings.spark_ui_port,) if settings.spark_ui_port else (),
        web=page if settings.spark_ui_port else None,
        ready=lambda: bool(settings.spark_ui_port and service.ask_json(f"{page}/metrics/json/")),
        after=NEEDS,
        stops=STOPS,
        final=(REFUSED,),
    )


def local(settings: Settings, count: int) -> list[Service]:
    """The first `count` of `NAMES`, each with a page of its own from `stream_web_port` on, after the servers."""
    ports = itertools.count(settings.stream_web_port)
    return [
        service_of(settings.in_namespace(settings.namespace, spark_ui_port=port), name)
        for name, port in zip(NAMES[:count], ports, strict=False)
    ]

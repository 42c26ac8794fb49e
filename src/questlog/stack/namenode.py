"""The NameNode: HDFS's directory of files and blocks."""

from __future__ import annotations

from questlog.settings import Settings
from questlog.stack import hdfs, service
from questlog.stack.service import Service

NAME = "namenode"
MAIN = "org.apache.hadoop.hdfs.server.namenode.NameNode"


def service_of(settings: Settings) -> Service:
    """The NameNode, ready when it is out of safe mode."""
    program, environment = hdfs.program(settings), hdfs.environment(settings)
    log = settings.logs_dir / f"{NAME}.log"
    format_ = program(MAIN, "-format", "-force", "-nonInteractive")
    return Service(
        name=NAME,
        command=program(MAIN),
        environment=environment,
        directory=settings.data_dir,
        log=log,
        ports=(settings.namenode_port, settings.namenode_web_port),
        web=f"http://{settings.host}:{settings.namenode_web_port}/jmx",
        prepare=lambda: service.once(settings.data_dir / NAME, lambda: service.run(format_, log, environment)),
        ready=lambda: hdfs.state(settings).get("FSState") == "Operational",
    )

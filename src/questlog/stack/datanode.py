"""The DataNode: keeps HDFS's blocks."""

from __future__ import annotations

from questlog.settings import Settings
from questlog.stack import hdfs
from questlog.stack.service import Service

NAME = "datanode"
MAIN = "org.apache.hadoop.hdfs.server.datanode.DataNode"
# It starts beside the NameNode, and between two rounds of attempts to reach it would sleep for 5 s: one round of 60 s.
PATIENCE = "ipc.client.connect.max.retries=300"


def service_of(settings: Settings) -> Service:
    """The DataNode, ready when the NameNode counts it as live."""
    return Service(
        name=NAME,
        command=hdfs.program(settings)(MAIN, "-D", PATIENCE),
        environment=hdfs.environment(settings),
        directory=settings.data_dir,
        log=settings.logs_dir / f"{NAME}.log",
        ports=(settings.datanode_port, settings.datanode_ipc_port, settings.datanode_web_port),
        web=f"http://{settings.host}:{settings.datanode_web_port}/jmx",
        ready=lambda: hdfs.state(settings).get("NumLiveDataNodes", 0) >= 1,
    )

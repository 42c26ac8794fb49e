"""Kafka in KRaft mode: broker and controller in one process."""

from __future__ import annotations

import base64
import hashlib
import struct
from functools import partial
from pathlib import Path

from questlog.settings import Settings
from questlog.stack import artifacts, service
from questlog.stack.java import java17
from questlog.stack.service import Service

NAME = "kafka"
HEAP = "512m"
METADATA, VERSION, CORRELATION = 3, 1, 1
LENGTH = 4  # bytes of the size that comes before each message


def service_of(settings: Settings) -> Service:
    """Kafka, ready when its answer to a metadata request names a broker."""
    conf, data = settings.conf_dir / "kafka", settings.data_dir / "kafka"
    jars = artifacts.classpath(settings.cache_dir, NAME)
    program = partial(service.java, java17() / "bin" / "java", classpath=jars)
    options = (f"-Xmx{HEAP}", f"-Dlog4j2.configurationFile={conf / 'log4j2.properties'}")
    properties = str(conf / "server.properties")
    log = settings.logs_dir / f"{NAME}.log"
    arguments = ("format", f"--cluster-id={cluster_id(settings.data_dir)}", "-c", properties)  # it may begin with -
    format_ = program("kafka.tools.StorageTool", *arguments, options=(*options, service.QUICK))
    return Service(
        name=NAME,
        command=program("kafka.Kafka", properties, options=options),
        directory=settings.data_dir,
        log=log,
        ports=(settings.kafka_port, settings.kafka_controller_port),
        prepare=lambda: service.once(data, lambda: service.run(format_, log)),
        ready=lambda: names_a_broker(settings.host, settings.kafka_port),
    )


def cluster_id(data_dir: Path) -> str:
    """An id for the cluster, 16 bytes in base64 as Kafka wants it: the same for the same data folder."""
    return base64.urlsafe_b64encode(hashlib.sha256(str(data_dir).encode()).digest()[:16]).decode().rstrip("=")


def names_a_broker(host: str, port: int) -> bool:
    """Whether Kafka's answer to a metadata request (https://kafka.apache.org/protocol, version 1) names a broker."""
    request = struct.pack(">hhih", METADATA, VERSION, CORRELATION, -1) + struct.pack(">i", 0)  # no client id, no topics
    answer = service.ask_bytes(host, port, struct.pack(">i", len(request)) + request, _is_whole)
    return len(answer) >= 3 * LENGTH and struct.unpack_from(">i", answer, 2 * LENGTH)[0] > 0


def _is_whole(answer: bytes) -> bool:
    return len(answer) >= LENGTH and len(answer) >= LENGTH + struct.unpack_from(">i", answer)[0]

"""The servers that the sides run on: a Kafka of its own, our API and both references, all on free ports."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from questlog.api import server
from questlog.errors import NotReady
from questlog.settings import Settings
from questlog.stack import kafka, local
from questlog.transport import topics

REFERENCE_TOPIC = "reference"  # as a namespace: its topic has as many partitions as ours
PORTS = ("api_port", "kafka_port", "kafka_controller_port")
START, POLL_INTERVAL = 30.0, 0.05  # seconds


@contextmanager
def kafka_alone() -> Iterator[Settings]:
    """A Kafka in a temporary folder, with a topic for our side and one for the reference's."""
    with tempfile.TemporaryDirectory(prefix="questlog-bench-") as folder:
        ports = {name: server.free_port() for name in PORTS}
        settings = Settings.load(data_dir=Path(folder) / "data", **ports)
        with local.running(settings, wipe=True, wanted=[kafka.service_of(settings)]):
            for each in (settings, beside(settings)):
                topics.create_topic(each)
            yield settings


def beside(settings: Settings) -> Settings:
    """The reference's side of the same Kafka."""
    return settings.in_namespace(REFERENCE_TOPIC)


@contextmanager
def reference(settings: Settings, *options: str) -> Iterator[str]:
    """The reference's server as a child process; gives its address.

    Raises:
        NotReady: nothing listens after `START` seconds.
    """
    port = server.free_port()
    command = [sys.executable, "-m", "benchmarks.reference", "--port", str(port)]
    command += ["--bootstrap", settings.kafka_bootstrap, "--topic", beside(settings).topic, *options]
    with serving(settings, command, port):
        yield f"http://{settings.host}:{port}"


@contextmanager
def serving(settings: Settings, command: Sequence[str], port: int) -> Iterator[None]:
    """A server as a child process with these settings.

    Raises:
        NotReady: nothing listens on the port after `START` seconds.
    """
    log = settings.logs_dir / f"server-{port}.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(command, env=settings.environment(), stdout=out, stderr=subprocess.STDOUT) as child,
    ):
        try:
            _wait_until_listening(command, port, log)
            yield
        finally:
            child.terminate()


def _wait_until_listening(command: Sequence[str], port: int, log: Path) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(POLL_INTERVAL)
    end = log.read_text()[-2000:]
    raise NotReady(f"{' '.join(command)} does not listen on port {port} after {START:g} s; its log ends:\n{end}")


@contextmanager
def everything(*, given: bool) -> Iterator[Settings]:
    """A whole stack in a temporary folder, on free ports; or the one that the environment's settings point to."""
    if given:
        yield Settings.load()
        return
    with tempfile.TemporaryDirectory(prefix="questlog-bench-") as folder:
        names = [name for name in Settings.model_fields if name.endswith("_port") and name != "spark_ui_port"]
        settings = Settings.load(data_dir=Path(folder) / "data", **{name: server.free_port() for name in names})
        with local.running(settings, wipe=True):
            yield settings

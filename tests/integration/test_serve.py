"""One server in the foreground, as a container runs it."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from questlog.errors import NotReady
from questlog.settings import Settings
from questlog.stack import container

DEADLINE = 120.0
STOPS = 30.0
PAUSE = 0.2


def free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


@pytest.fixture
def alone(tmp_path: Path) -> Settings:
    port, controller = free_ports()
    return Settings.load(data_dir=tmp_path / "data", kafka_port=port, kafka_controller_port=controller)


@pytest.fixture
def kafka(alone: Settings, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "output").open("wb") as output:
        command = [sys.executable, "-m", "questlog", "serve", "kafka"]
        server = subprocess.Popen(command, env=alone.environment(), stdout=output, stderr=subprocess.STDOUT)
    yield server
    server.kill()
    server.wait()


def wait_until_ready(settings: Settings, server: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            return container.check_ready(settings, "kafka")
        except NotReady:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(output.read_text()) from None
            time.sleep(PAUSE)


def ask(settings: Settings) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "questlog", "ready", "kafka"]
    return subprocess.run(command, env=settings.environment(), capture_output=True, text=True, check=False)


def test_kafka_alone_becomes_ready_and_ends_orderly_when_told_to(
    alone: Settings, kafka: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    before = ask(alone)
    wait_until_ready(alone, kafka, tmp_path / "output")
    then = ask(alone)
    kafka.terminate()

    assert (before.returncode, then.returncode) == (1, 0)
    assert "NotReady: kafka does not answer yet" in before.stderr
    assert kafka.wait(STOPS) == 128 + signal.SIGTERM  # as Java ends after its shutdown hooks
    assert (alone.data_dir / "kafka" / ".kafka_cleanshutdown").exists()

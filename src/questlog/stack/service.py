"""What a local server is: its command, its ports, what is done once before it, and the question whether it is ready."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from questlog.errors import ServiceDied
from questlog.jvm import SHORT_START

DEADLINE = 300.0  # seconds; the slowest server takes about 30 on two idle cores
STOPS = 12
ANSWER = 2.0  # seconds in which a ready server answers its question
QUOTED_LINES = 20
PREPARED = ".prepared"

# For what runs briefly, or mostly waits for disks: the optimizing compiler only costs their start.
QUICK = "-XX:TieredStopAtLevel=1"
COMMON = (
    *SHORT_START,
    "-Duser.timezone=UTC",
    "-Dfile.encoding=UTF-8",
    "-Djava.net.preferIPv4Stack=true",
)


def _nothing() -> None:
    """Of most servers nothing needs to be prepared."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One server.

    `prepare` does what is needed once before the first start, and nothing when it is done. `ready` asks the server a
    question that only a working one answers, and is False as long as it does not. `after` names the services that must
    be ready first. `environment` is added to the one that `up` was called in. `deadline`, and `stops` from SIGTERM to
    SIGKILL, are in seconds. A service that ends is started again, unless its exit status is one of `final`.
    """

    name: str
    command: tuple[str, ...]
    directory: Path
    log: Path
    ports: tuple[int, ...]
    ready: Callable[[], bool]
    prepare: Callable[[], None] = _nothing
    environment: Mapping[str, str] = field(default_factory=dict)
    web: str | None = None
    after: tuple[str, ...] = ()
    deadline: float = DEADLINE
    stops: int = STOPS
    final: tuple[int, ...] = ()


def java(
    executable: Path,
    main: str,
    *arguments: str,
    classpath: Sequence[Path],
    options: Sequence[str] = (),
) -> tuple[str, ...]:
    """The command that runs a Java program: times in UTC, no IPv6 address listened on beside the one that is set."""
    path = ":".join(str(part) for part in classpath)
    return (str(executable), *COMMON, *options, "-cp", path, main, *arguments)


def once(folder: Path, make: Callable[[], None]) -> None:
    """Have `make` fill `folder`, unless it was filled; what an interrupted first try left is thrown away."""
    if (folder / PREPARED).exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    make()
    (folder / PREPARED).touch()


def run(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
    """Run a command to its end, its output added to a log.

    Raises:
        ServiceDied: it ended with another exit code than 0; the message quotes the end of the log.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment or {}, check=False
        )
    if ended.returncode:
        raise died(log, f"preparing it ended with exit code {ended.returncode}")


def died(log: Path, what: str) -> ServiceDied:
    """The error for a server that ended before it was ready, with the end of its log."""
    return ServiceDied(f"{log.stem} is not ready: {what}. The end of {log}:\n{tail(log, QUOTED_LINES)}")


def tail(log: Path, lines: int) -> str:
    """The last lines of a log; "" when there is none yet."""
    if not log.exists():
        return ""
    with log.open(errors="replace") as file:
        return "".join(deque(file, maxlen=lines)).rstrip()


def ask_json(url: str) -> Any:
    """The JSON that a server answers with; None when it does not answer, or says that something is wrong."""
    with requests.Session() as session:
        session.trust_env = False  # a proxy has no business between us and loopback
        try:
            response = session.get(url, timeout=ANSWER)
            return response.json() if response.ok else None
        except requests.RequestException:
            return None


def ask_bytes(host: str, port: int, question: bytes, enough: Callable[[bytes], bool]) -> bytes:
    """What a server answers to a question in its own protocol, read until it is `enough`; b"" when there is none."""
    answer = b""
    try:
        with socket.create_connection((host, port), timeout=ANSWER) as connection:
            connection.sendall(question)
            while not enough(answer):
                received = connection.recv(4096)
                if not received:
                    return b""
                answer += received
    except OSError:
        return b""
    return answer

"""The API on a real WSGI server, granian (https://github.com/emmett-framework/granian).

`Settings.api_workers` processes share the port; each answers `Settings.api_threads` requests at a time, which is what
lets requests share a batch on their way to Kafka, and queues the others. SIGTERM stops it once the requests that it has
begun are answered. A worker that dies is replaced.
"""

from __future__ import annotations

import functools
import gc
import http.client
import importlib
import json
import math
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from questlog.api import patience
from questlog.errors import NotReady, PortTaken, ServiceDied
from questlog.settings import Settings

JOIN = "questlog.wsgi"  # by name, for it imports this room and the transport
CONNECTIONS = 1024  # open at a time, for each worker; kept-alive ones count
BACKLOG = 2048  # connections that wait to be opened
HEAD = 131_072  # bytes that are read of a request's line and headers, at least
DRAIN = 5  # seconds for begun requests when stopping, beyond what they may wait for Kafka
ORPHANS = 3.0  # seconds for the workers of a server that was killed
START = 60.0  # seconds until /health has to say ok
POLL_INTERVAL = 0.05  # seconds between two questions
QUOTED_LINES = 15


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. The topic has to be there already.

    Raises:
        PortTaken: something listens on the port.
    """
    _refuse_taken_port(settings, patience=ORPHANS)
    server = Granian(
        f"{JOIN}:create",
        address=settings.host,
        port=settings.api_port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=settings.api_workers,
        blocking_threads=settings.api_threads,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        http1_settings=HTTP1Settings(
            header_read_timeout=round(
                settings.read_timeout * 1000
            ),  # also of the next request: it ends idle connections
            max_buffer_size=HEAD + settings.max_header_bytes,
        ),
        respawn_failed_workers=True,
        workers_kill_timeout=_drain(settings),
    )
    server.serve(target_loader=functools.partial(_application, settings), wrap_loader=False)


@contextmanager
def running(settings: Settings) -> Iterator[Settings]:
    """An API server as a child process for as long as the block runs, its log in `Settings.logs_dir`.

    Raises:
        PortTaken: something listens on the port.
        ServiceDied: the server ended before it was ready; quotes its log.
        NotReady: it did not say ok within `START` seconds; quotes its log.
    """
    _refuse_taken_port(settings)
    log = settings.logs_dir / f"api-{settings.api_port}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "questlog", "api"],
            env=settings.environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_ready(settings, server, log)
        yield settings
    finally:
        _stop(server, _drain(settings) + DRAIN)


def free_port() -> int:
    """A port of the loopback address on which nothing listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _application(settings: Settings) -> Any:
    """What a worker process answers with; the worker ends when its server does, even by kill -9."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until it serves: its server's handler, inherited, would do nothing
    threading.Thread(target=_end_with_parent, daemon=True).start()
    patience.watch(settings)
    application = importlib.import_module(JOIN).create(settings)
    gc.collect()
    gc.freeze()  # it all stays: to look through it again and again would hold up every request, for 30 ms and more
    return application


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    parent.join()
    while True:  # again, for a signal may fall into the moment in which it begins to serve
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)


def _drain(settings: Settings) -> int:
    return math.ceil(settings.ack_timeout) + DRAIN


def _refuse_taken_port(settings: Settings, patience: float = 0) -> None:
    deadline = time.monotonic() + patience
    while _is_listening(settings):
        if time.monotonic() > deadline:
            raise PortTaken(
                f"port {settings.api_port} for the API is taken by another process: stop it, or set QUESTLOG_API_PORT"
            )
        time.sleep(POLL_INTERVAL)


def _is_listening(settings: Settings) -> bool:
    # Asked, because workers share their port with whoever else is ready to share it: binding would not fail.
    with suppress(OSError), socket.create_connection((settings.host, settings.api_port), timeout=1):
        return True
    return False


def _wait_until_ready(settings: Settings, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START
    while (said := _health(settings)) != "ok":
        if server.poll() is not None:
            raise ServiceDied(f"the API server ended with {server.returncode}; its log {log} ends:\n{_end_of(log)}")
        if time.monotonic() > deadline:
            raise NotReady(f"the API server says {said!r} after {START} s; its log {log} ends:\n{_end_of(log)}")
        time.sleep(POLL_INTERVAL)


def _health(settings: Settings) -> str:
    connection = http.client.HTTPConnection(settings.host, settings.api_port, timeout=2)
    try:
        connection.request("GET", "/health")
        said = json.loads(connection.getresponse().read())
        return str(said.get("error", said.get("status")))
    except (OSError, ValueError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-QUOTED_LINES:])


def _stop(server: subprocess.Popen[bytes], patience: float) -> None:
    server.terminate()  # the server alone: it stops its workers itself, once they have answered
    try:
        server.wait(patience)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)

"""The local stack: every server as a child process of one supervisor, with its own log, on loopback."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console

from questlog.errors import SettingsError, StackError
from questlog.settings import PREFIX, Settings
from questlog.stack import api, configure, datanode, home, kafka, metastore, namenode, ports, presto, processes, stream
from questlog.stack.progress import Board
from questlog.stack.service import Service, tail
from questlog.stack.startup import Startup
from questlog.stack.supervise import Program, Supervisor

ENGINES = (kafka, namenode, datanode, metastore, presto, api)
FRONT = (api.NAME, *stream.NAMES)  # stopped before the others: what they have begun, they still write to them
SUPERVISOR = "supervisord"
STOPPED, STARTING, RUNNING, DEAD = "stopped", "starting", "running", "dead"


@dataclass(frozen=True)
class ServiceStatus:
    """One server: `state` is stopped, starting, running or dead; `memory` in bytes, `uptime` in seconds."""

    name: str
    state: str
    pid: int | None
    ports: tuple[int, ...]
    web: str | None
    memory: int | None
    uptime: float | None


def services(settings: Settings, streams: int = 0) -> list[Service]:
    """Every server of the stack, and so many streams.

    Raises:
        SetupError: Java or an engine's files are missing.
    """
    return [*(engine.service_of(settings) for engine in ENGINES), *stream.local(settings, streams)]


def up(
    settings: Settings,
    *,
    streams: int | None = None,
    wanted: Sequence[Service] | None = None,
    console: Console | None = None,
) -> None:
    """Start every server that does not run yet, and return when all are ready.

    A server whose configuration changed is started anew. When one fails, or the user interrupts, what this call started
    is stopped again.

    Args:
        settings: of the stack.
        streams: how many streams it keeps running from now on, 0 to 2; None: as many as before.
        wanted: what to run in place of `services`.
        console: for the progress.

    Raises:
        SetupError: Java or an engine's files are missing.
        SettingsError: `host` is not loopback.
        PortTaken: a port belongs to somebody else; nothing was started.
        ServiceDied, NotReady: a server ended early or does not answer; the message quotes its log.
        StackError: the data folder is not this stack's.
    """
    _check_host(settings)
    console = console or Console()
    if wanted is None:
        wanted = services(settings, _streams(Supervisor(settings).programs()) if streams is None else streams)
    home.claim(settings)
    with home.held(settings, lambda: console.print("Another `up` or `down` of this stack runs: waiting for it.")):
        home.claim(settings)  # again: we may have waited for a `down --wipe`
        configure.render(settings, settings.conf_dir)
        _start(settings, wanted, console)


def down(settings: Settings, *, wipe: bool = False, console: Console | None = None) -> None:
    """Stop every server, the API first, and return when all are gone; `wipe` deletes their data.

    Raises:
        StackError: `wipe`, and the data folder was not made by `up`.
    """
    console = console or Console()
    if home.is_ours(settings):
        with home.held(settings, lambda: console.print("Another `up` or `down` of this stack runs: waiting for it.")):
            _stop(settings, console)
            if wipe:
                home.wipe(settings)
    elif wipe:
        home.wipe(settings)
    if wipe:
        console.print(f"Deleted {settings.data_dir}.", highlight=False)


def status(settings: Settings) -> list[ServiceStatus]:
    """The state of every server, asked side by side."""
    programs = Supervisor(settings).programs()
    wanted = services(settings, _streams(programs))
    with ThreadPoolExecutor(len(wanted)) as pool:
        return list(pool.map(lambda service: _status(service, programs.get(service.name)), wanted))


def logs(settings: Settings, name: str, lines: int = 50) -> str:
    """The last lines of a server's log, or of the supervisor's.

    Raises:
        StackError: there is no such server.
    """
    names = [*(engine.NAME for engine in ENGINES), *stream.NAMES, SUPERVISOR]
    if name not in names:
        raise StackError(f"there is no log of {name!r}; there are {', '.join(names)}.")
    return tail(settings.logs_dir / f"{name}.log", lines)


@contextmanager
def running(settings: Settings, *, wipe: bool = False, wanted: Sequence[Service] | None = None) -> Iterator[Settings]:
    """A stack for as long as the block runs; `wipe` deletes its data afterwards, `wanted` is as in `up`."""
    try:
        up(settings, wanted=wanted)
        yield settings
    finally:
        down(settings, wipe=wipe)


def _streams(programs: Mapping[str, Program]) -> int:
    """How many streams the supervisor was told to keep running."""
    return sum(name in programs for name in stream.NAMES)


def _start(settings: Settings, wanted: Sequence[Service], console: Console) -> None:
    supervisor = Supervisor(settings)
    was_there = supervisor.answers()
    if was_there:
        supervisor.reload(wanted)
    elif left := processes.end_all(settings.data_dir):
        console.print(f"Ended {left} processes of this stack that had lost their supervisor.")
    before = [name for name, program in supervisor.programs().items() if program.is_up]
    missing = [service for service in wanted if service.name not in before]
    ports.check(settings.host, missing)
    try:
        if not was_there:
            supervisor.launch(wanted)
        board = Board([service.name for service in wanted], console)
        Startup(supervisor, wanted, board).run()
    except BaseException:
        console.print("Not everything is ready: stopping what was started.")
        if was_there:
            supervisor.stop([service.name for service in missing])
        else:
            _stop(settings, console)
        raise
    what = "Was up already, and is ready" if not missing else f"Ready in {board.seconds():.1f} s"
    console.print(f"{what}: {', '.join(service.name for service in wanted)}.", highlight=False)


def _stop(settings: Settings, console: Console) -> None:
    began = time.monotonic()
    supervisor = Supervisor(settings)
    if supervisor.answers():
        supervisor.shutdown(FRONT)
    processes.end_all(settings.data_dir)
    console.print(f"Stopped in {time.monotonic() - began:.1f} s.", highlight=False)


def _status(service: Service, program: Program | None) -> ServiceStatus:
    state = STOPPED
    if program and program.is_up:
        state = RUNNING if service.ready() else STARTING
    elif program and program.is_gone:
        state = DEAD
    pid = program.pid if program and program.is_up else None
    return ServiceStatus(
        name=service.name,
        state=state,
        pid=pid,
        ports=service.ports,
        web=service.web,
        memory=processes.memory(pid) if pid else None,
        uptime=program.uptime if program and pid else None,
    )


def _check_host(settings: Settings) -> None:
    host = configure.address(settings.host)
    if not ipaddress.ip_address(host).is_loopback:
        raise SettingsError(
            f"setting host ({PREFIX}HOST) is {settings.host!r}: the local servers ask nobody for a password, so they "
            "listen on loopback alone. Leave it at 127.0.0.1; for more machines see docker-compose.yml."
        )

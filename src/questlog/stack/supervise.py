"""The supervisor of the servers: a `supervisord` that outlives the `up` command and starts again what dies.

supervisor it is, because mirakuru's children end with their parent, and circus is hardly kept any more. It is asked by
XML-RPC over a unix socket (http://supervisord.org/api.html).
"""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from questlog.errors import StackError
from questlog.settings import Settings
from questlog.stack import processes
from questlog.stack.service import Service

LONGEST_SOCKET = 90  # bytes: the system's limit is 104 on macOS, and supervisord adds its pid for a moment
ANSWERS = 15.0  # seconds within which a new supervisord answers
STOPS = 40.0  # seconds within which all servers are stopped, or else killed
STAYS_UP = 3  # seconds after which a server counts as started
RETRIES = 1_000_000  # of one that dies sooner, a second later each time: what it needs, Kafka say, may be away for long
VERSION = "CONFIGURATION_OF_QUESTLOG"  # variable that every server gets
LOOK = 0.05  # seconds between two looks
UP, STOPPING, GONE = {"STARTING", "RUNNING"}, "STOPPING", {"BACKOFF", "EXITED", "FATAL", "UNKNOWN"}


@dataclass(frozen=True)
class Program:
    """What supervisord knows of a server; `uptime` is in seconds, `exit_status` that of its last end."""

    state: str
    pid: int | None
    uptime: float | None
    reason: str
    exit_status: int | None = None

    @property
    def is_up(self) -> bool:
        """Whether there is a process, ready or not."""
        return self.state in UP

    @property
    def is_gone(self) -> bool:
        """Whether its process ended without having been told to."""
        return self.state in GONE


UNKNOWN = Program("UNKNOWN", None, None, "supervisord does not run any more, or was told to forget it")


class Supervisor:
    """The supervisord of one stack."""

    def __init__(self, settings: Settings) -> None:
        self._environment = settings.environment()  # with the secrets, which no file may hold
        self._data_dir = settings.data_dir
        self._logs_dir = settings.logs_dir
        self._run_dir = settings.data_dir / "run"
        self._conf_dir = settings.conf_dir
        self._socket = socket_path(self._run_dir)

    def answers(self) -> bool:
        """Whether it runs; a socket that was left by one which was killed does not answer."""
        try:
            self._call("getState")
        except (OSError, xmlrpc.client.Error):
            return False
        return True

    def launch(self, services: Sequence[Service]) -> None:
        """Start supervisord, which starts nothing itself yet.

        Raises:
            StackError: it does not start, or does not answer.
        """
        conf = self._configure(services)
        command = ["env", f"{processes.MARK}={self._data_dir}", sys.executable, "-m", "supervisor.supervisord"]
        begun = subprocess.run(
            [*command, "-c", str(conf)], env=self._environment, capture_output=True, text=True, check=False
        )
        deadline = time.monotonic() + ANSWERS
        while not self.answers():
            if begun.returncode or time.monotonic() > deadline:
                log = self._logs_dir / "supervisord.log"
                said = (begun.stdout + begun.stderr)[-2000:]
                raise StackError(f"supervisord did not start; see {log}. It said: {said}")
            time.sleep(LOOK)

    def reload(self, services: Sequence[Service]) -> list[str]:
        """Have it know these services; those whose command or configuration changed are stopped, and named."""
        self._configure(services)
        ((added, changed, removed),) = self._call("reloadConfig")
        for name in [*changed, *removed]:
            self._call("stopProcessGroup", name)
            self._call("removeProcessGroup", name)
        for name in [*added, *changed]:
            self._call("addProcessGroup", name)
        return [*changed, *removed]

    def start(self, name: str) -> None:
        """Start one server, unless it runs.

        Raises:
            StackError: its command cannot be run.
        """
        if not self.program(name).is_up:
            try:
                self._call("startProcess", name, False)
            except xmlrpc.client.Fault as fault:
                raise StackError(f"{name} could not be started: {fault.faultString}") from fault

    def stop(self, names: Sequence[str]) -> None:
        """Stop servers, in the reverse order of `names`, and wait for each."""
        for name in reversed(names):
            self._call("stopProcessGroup", name)

    def stop_together(self, names: Sequence[str]) -> None:
        """Tell servers to end, all at once, and wait for them: a standby is not to take over."""
        running = [name for name in names if self.program(name).is_up]
        for name in running:
            self._call("stopProcess", name, False)
        while any(self.program(name).state == STOPPING for name in running):
            time.sleep(LOOK)

    def program(self, name: str) -> Program:
        """What it knows of one server."""
        return self.programs().get(name, UNKNOWN)

    def programs(self) -> dict[str, Program]:
        """What it knows of each server, by name; empty when it does not run."""
        try:
            infos = self._call("getAllProcessInfo")
        except (OSError, xmlrpc.client.Error):
            return {}
        return {info["name"]: _program(info) for info in infos}

    def shutdown(self, first: Sequence[str] = ()) -> None:
        """Stop the servers named, then the others side by side, then supervisord; return when all are gone."""
        family = list(processes.of_stack(self._data_dir))
        self.stop_together(first)
        self._call("stopAllProcesses")
        self._call("shutdown")
        psutil.wait_procs(family, timeout=STOPS)

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        try:
            with xmlrpc.client.ServerProxy("http://localhost", transport=transport) as server:
                return getattr(server.supervisor, method)(*arguments)
        finally:
            transport.close()

    def _configure(self, services: Sequence[Service]) -> Path:
        for folder in (self._run_dir, self._logs_dir, *(service.directory for service in services)):
            folder.mkdir(parents=True, exist_ok=True)
        sections: dict[str, dict[str, object]] = {
            "unix_http_server": {"file": self._socket, "chmod": "0700"},
            "rpcinterface:supervisor": {
                "supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"
            },
            "supervisord": {
                "directory": self._data_dir,
                "logfile": self._logs_dir / "supervisord.log",
                "logfile_maxbytes": "1MB",
                "logfile_backups": 1,
                "pidfile": self._run_dir / "supervisord.pid",
            },
            **{f"program:{service.name}": self._options(place, service) for place, service in enumerate(services)},
        }
        file = self._run_dir / "supervisord.conf"
        file.write_text("\n".join(_section(name, options) for name, options in sections.items()))
        return file

    def _options(self, place: int, service: Service) -> dict[str, object]:
        variables = {**service.environment, VERSION: _version(self._conf_dir)}
        return {
            "command": shlex.join(service.command),
            "directory": service.directory,
            "environment": ",".join(f'{name}="{value}"' for name, value in variables.items()),
            "priority": place,  # supervisord itself, when it is told to end, stops them in the reverse order
            "autostart": "false",
            "autorestart": "unexpected" if service.final else "true",
            "exitcodes": ",".join(map(str, service.final or (0,))),
            "startsecs": STAYS_UP,
            "startretries": RETRIES,
            "stopwaitsecs": service.stops,
            "killasgroup": "true",
            "redirect_stderr": "true",
            "stdout_logfile": service.log,
            "stdout_logfile_maxbytes": "10MB",
            "stdout_logfile_backups": 2,
        }


def socket_path(run_dir: Path) -> Path:
    """Where supervisord listens: a short path of its own for a data folder whose path is too long for a socket."""
    path = run_dir / "supervisor.sock"
    if len(str(path).encode()) <= LONGEST_SOCKET:
        return path
    digest = hashlib.sha256(str(run_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"questlog-{digest}.sock"


def _version(folder: Path) -> str:
    """Another text for another configuration: supervisord then sees that a server has changed."""
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _program(info: Mapping[str, Any]) -> Program:
    running = info["statename"] in UP
    return Program(
        state=info["statename"],
        pid=info["pid"] or None,
        uptime=float(info["now"] - info["start"]) if running else None,
        reason=f"its process ended ({info['spawnerr'] or info['description']})",
        exit_status=info["exitstatus"],
    )


def _section(name: str, options: Mapping[str, object]) -> str:
    lines = (f"{option}={str(value).replace('%', '%%')}" for option, value in options.items())
    return "\n".join([f"[{name}]", *lines, ""])

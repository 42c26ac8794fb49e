"""The local stack: the real servers, and small ones where only the supervision matters."""

import dataclasses
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from questlog.errors import NotReady, PortTaken, ServiceDied, StackError
from questlog.settings import Settings
from questlog.stack import configure, home, kafka, local, processes, service
from questlog.stack.service import Service
from questlog.stack.supervise import Supervisor
from waiting import eventually

DEADLINE = 120.0
NAMES = ["kafka", "namenode", "datanode", "metastore", "presto", "api"]
DIES = "import sys, time; print('the disk is on fire', flush=True); sys.exit(4)"


def quiet() -> Console:
    return Console(file=io.StringIO(), width=200)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def web_server(settings: Settings, name: str = "web") -> Service:
    """A server as small as one can be: the standard library's."""
    port = free_port()
    (settings.data_dir.parent / "index.html").write_text("{}")
    where = ("--bind", settings.host, "--directory", str(settings.data_dir.parent))
    return Service(
        name=name,
        command=(sys.executable, "-m", "http.server", str(port), *where),
        directory=settings.data_dir,
        log=settings.logs_dir / f"{name}.log",
        ports=(port,),
        ready=lambda: service.ask_json(f"http://{settings.host}:{port}") == {},
    )


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Settings]:
    """Settings of a stack of its own, which is stopped in the end."""
    settings = Settings.load(data_dir=tmp_path / "data")
    yield settings
    local.down(settings, wipe=True, console=quiet())


def family(settings: Settings) -> list[psutil.Process]:
    return list(processes.of_stack(settings.data_dir))


def test_every_server_of_a_started_stack_runs(settings: Settings) -> None:
    servers = local.status(settings)

    assert [server.name for server in servers] == NAMES
    assert {server.state for server in servers} == {local.RUNNING}


def test_the_status_says_what_an_operator_asks_and_goes_into_json(settings: Settings) -> None:
    servers = json.loads(json.dumps([dataclasses.asdict(server) for server in local.status(settings)]))

    for server in servers:
        assert psutil.pid_exists(server["pid"])
        assert server["memory"] > 10 * 1024 * 1024
        assert server["uptime"] > 0
    assert servers[0]["ports"] == [settings.kafka_port, settings.kafka_controller_port]
    assert servers[4]["web"] == f"{settings.presto_url}/ui/"


def test_nothing_listens_beyond_loopback(settings: Settings) -> None:
    listening = [
        connection.laddr.ip
        for process in family(settings)
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    ]

    assert len(listening) >= sum(len(server.ports) for server in local.status(settings))
    assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def whole_log(settings: Settings, name: str) -> str:
    """All that a server wrote, also what was moved aside when the file had become too large."""
    return "".join(part.read_text(errors="replace") for part in settings.logs_dir.glob(f"{name}.log*"))


def test_every_server_writes_its_own_log(settings: Settings) -> None:
    assert "Kafka Server started" in whole_log(settings, "kafka")
    assert "STARTUP_MSG: Starting NameNode" in whole_log(settings, "namenode")
    assert "STARTUP_MSG: Starting DataNode" in whole_log(settings, "datanode")
    assert "Starting DB backed MetaStore Server" in whole_log(settings, "metastore")
    assert "SERVER STARTED" in whole_log(settings, "presto")


def test_a_servers_last_lines_can_be_asked_for(settings: Settings) -> None:
    last = local.logs(settings, "namenode", lines=2)

    assert last.count("\n") == 1
    assert last in whole_log(settings, "namenode")


def test_starting_a_started_stack_leaves_every_process_as_it_is(settings: Settings) -> None:
    before = [server.pid for server in local.status(settings)]
    console = quiet()

    local.up(settings, console=console)

    assert "Was up already" in said(console)
    assert [server.pid for server in local.status(settings)] == before


@pytest.mark.parametrize("name", ["datanode", "api"])
def test_a_server_that_is_killed_comes_back_by_itself(settings: Settings, name: str) -> None:
    place = NAMES.index(name)
    killed = local.status(settings)[place].pid
    assert killed is not None

    os.kill(killed, signal.SIGKILL)

    eventually(lambda: local.status(settings)[place].pid not in (None, killed), deadline=DEADLINE)
    eventually(lambda: local.status(settings)[place].state == local.RUNNING, deadline=DEADLINE)


def test_a_port_of_another_process_is_refused_before_anything_starts(small: Settings) -> None:
    web = web_server(small)
    with socket.create_server((small.host, web.ports[0])):
        with pytest.raises(PortTaken, match=rf"port {web.ports[0]} \(web\) belongs to .* \(pid {os.getpid()}\)"):
            local.up(small, wanted=[web_server(small, "other"), web], console=quiet())

        assert family(small) == []


def test_a_real_server_that_dies_early_is_told_with_the_end_of_its_log(small: Settings, tmp_path: Path) -> None:
    settings = small.in_namespace("broken", kafka_port=free_port(), kafka_controller_port=free_port())
    real = kafka.service_of(settings)
    broken = tmp_path / "broken.properties"

    def prepare() -> None:
        text = configure.rendered(settings, "kafka/server.properties")
        broken.write_text(f"{text}\nlog.retention.hours=a week\nlog.dirs={tmp_path / 'kafka'}\n")

    wanted = dataclasses.replace(real, prepare=prepare, command=(*real.command[:-1], str(broken)))

    with pytest.raises(ServiceDied, match=r"(?s)kafka is not ready: its process ended.*a week"):
        local.up(settings, wanted=[wanted], console=quiet())

    assert family(small) == []


def test_what_was_started_beside_a_server_that_dies_is_stopped(small: Settings) -> None:
    dying = dataclasses.replace(web_server(small, "dying"), command=(sys.executable, "-c", DIES))
    console = quiet()

    with pytest.raises(ServiceDied, match=r"(?s)dying.*the disk is on fire"):
        local.up(small, wanted=[web_server(small), dying], console=console)

    assert family(small) == []
    assert "stopping what was started" in said(console)


def test_what_ran_before_a_failed_start_goes_on_running(small: Settings) -> None:
    web = web_server(small)
    dying = dataclasses.replace(web_server(small, "dying"), command=(sys.executable, "-c", DIES))
    local.up(small, wanted=[web], console=quiet())

    with pytest.raises(ServiceDied):
        local.up(small, wanted=[web, dying], console=quiet())

    assert web.ready()
    assert not Supervisor(small).program("dying").is_up


def test_a_command_that_is_not_there_is_told(small: Settings) -> None:
    missing = dataclasses.replace(web_server(small), command=("no-such-command",))

    with pytest.raises(StackError, match="web could not be started"):
        local.up(small, wanted=[missing], console=quiet())


def test_a_server_that_never_answers_is_given_up_at_its_deadline(small: Settings) -> None:
    silent = dataclasses.replace(web_server(small), ready=lambda: False, deadline=0.5)

    with pytest.raises(NotReady, match=r"did not answer within 0|did not answer within 1"):
        local.up(small, wanted=[silent], console=quiet())

    assert family(small) == []


def test_a_server_waits_for_those_that_come_before_it(small: Settings) -> None:
    first = web_server(small, "first")
    seen: list[bool] = []
    second = web_server(small, "second")

    def ready() -> bool:
        seen.append(first.ready())
        return second.ready()

    local.up(small, wanted=[dataclasses.replace(second, ready=ready, after=("first",)), first], console=quiet())

    assert all(seen)


def test_a_server_whose_settings_changed_is_started_anew(small: Settings) -> None:
    web = web_server(small)
    local.up(small, wanted=[web], console=quiet())
    before = Supervisor(small).program("web").pid

    local.up(small, wanted=[dataclasses.replace(web, environment={"COLOUR": "green"})], console=quiet())

    after = Supervisor(small).program("web").pid
    assert after
    assert after != before
    assert psutil.Process(after).environ()["COLOUR"] == "green"


def test_a_stack_that_lost_its_supervisor_is_started_and_stopped_all_the_same(small: Settings) -> None:
    web = web_server(small)
    local.up(small, wanted=[web], console=quiet())
    (supervisor,) = (process for process in family(small) if "supervisor.supervisord" in process.cmdline())
    orphan = Supervisor(small).program("web").pid
    supervisor.kill()
    psutil.wait_procs([supervisor], timeout=DEADLINE)
    console = quiet()

    local.up(small, wanted=[web], console=console)

    assert "lost their supervisor" in said(console)
    assert Supervisor(small).program("web").pid not in (None, orphan)
    local.down(small, console=quiet())
    assert family(small) == []


def test_a_second_start_waits_for_the_first_and_says_so(small: Settings) -> None:
    web, console = web_server(small), quiet()
    second = threading.Thread(target=lambda: local.up(small, wanted=[web], console=console))
    home.claim(small)

    with home.held(small, lambda: None):
        second.start()
        eventually(lambda: "waiting for it" in said(console), deadline=DEADLINE)
        assert family(small) == []
    second.join()

    assert web.ready()


def test_stopping_twice_and_stopping_half_a_stack_is_fine(small: Settings) -> None:
    local.up(small, wanted=[web_server(small), web_server(small, "other")], console=quiet())
    Supervisor(small).stop(["other"])

    local.down(small, console=quiet())
    local.down(small, console=quiet())

    assert family(small) == []
    assert small.data_dir.exists()


def test_a_stopped_stack_says_that_it_is_stopped(small: Settings) -> None:
    assert {(server.state, server.pid, server.memory) for server in local.status(small)} == {
        (local.STOPPED, None, None)
    }


def test_two_stacks_run_side_by_side_and_stop_one_by_one(small: Settings, tmp_path: Path) -> None:
    other = Settings.load(data_dir=tmp_path / ("a name too long for the path of a socket " * 3) / "data")
    other.data_dir.parent.mkdir()
    mine, theirs = web_server(small), web_server(other)
    local.up(small, wanted=[mine], console=quiet())
    local.up(other, wanted=[theirs], console=quiet())

    local.down(other, wipe=True, console=quiet())

    assert mine.ready()
    assert not theirs.ready()
    assert not other.data_dir.exists()


def test_an_interrupted_start_stops_what_it_started(small: Settings) -> None:
    script = (
        "import dataclasses, sys; sys.path[:0] = sys.argv[1:]; import test_stack as t\n"
        "settings = t.Settings.load()\n"
        "web = t.web_server(settings)\n"
        "never = dataclasses.replace(t.web_server(settings, 'never'), ready=lambda: False)\n"
        "t.local.up(settings, wanted=[web, never])\n"
    )
    command = [sys.executable, "-c", script, *(str(folder) for folder in Path(__file__).parents[:2])]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=small.environment(), stdout=pipe, stderr=pipe, text=True) as starting:
        assert starting.stdout
        lines = []
        for line in starting.stdout:
            lines.append(line)
            if "web: ready" in line:
                break
        starting.send_signal(signal.SIGINT)
        rest, errors = starting.communicate(timeout=DEADLINE)

    assert "stopping what was started" in rest, "".join(lines) + rest + errors
    assert "KeyboardInterrupt" in errors
    assert family(small) == []

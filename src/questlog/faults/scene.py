"""The scene of the faults: a local stack with an API server, a stream and a witness of one namespace's own.

API server and stream are run by the stack's own supervisor, which starts them again when they die. The API server
reaches Kafka over a `Line`, where the faults ask for one: Kafka then has a second listener, whose clients are told the
line's address, and is started anew for it.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace

from rich.console import Console

from questlog import pipeline
from questlog.api.server import free_port
from questlog.errors import FaultError, TransportError
from questlog.events.wire import PRODUCER_HEADER, Record
from questlog.faults.client import RATE, Client
from questlog.faults.line import Line
from questlog.faults.streams import Streams
from questlog.faults.witness import Witness, watching
from questlog.lake.hdfs import Hdfs
from questlog.settings import Settings
from questlog.stack import api, configure, kafka, local
from questlog.stack.service import Service
from questlog.stack.supervise import Supervisor
from questlog.transport.producer import Publisher

QUIET = Console(quiet=True)
LISTENER = "LINE"
# Files are merged as often as it takes to find few of them at a start, as in a stream that has run for long: also while
# something dies.
OF_THE_STREAM = {"compact_minutes": 0.25, "lease_seconds": 5}
STRAY = Record(b"nobody", b"no event", ((PRODUCER_HEADER, b"elsewhere"),))


@dataclass
class Scene:
    """What a fault may act on.

    Args:
        stack: the settings of the stack, whose servers faults kill by their names.
        settings: those of this scene's namespace.
        api: the name of its API server in the stack.
        stream: its stream, and its standby if there is one.
        publisher: writes to its topic, past the API.
        witness: looks at its tables.
        seed: of whatever is random.
        dice: draws it.
        rate: events a second that its clients send.
        line: the way from the API to Kafka, if it is one that can be cut.
        client: the client of the trial that runs.
        later: what a fault leaves to be put right once it was measured.
        complaints: what a fault itself found wrong.
    """

    stack: Settings
    settings: Settings
    api: str
    stream: Streams
    publisher: Publisher
    witness: Witness
    seed: int
    dice: random.Random
    rate: float = RATE
    line: Line | None = None
    client: Client | None = None
    later: ExitStack = field(default_factory=ExitStack)
    complaints: list[str] = field(default_factory=list)

    def stray(self) -> None:
        """Put a record into the topic that is no event; not if Kafka is away."""
        with suppress(TransportError):
            self.publisher.publish([STRAY])


@contextmanager
def staged(
    stack: Settings, *, seed: int, rate: float = RATE, with_line: bool = False, with_standby: bool = False
) -> Iterator[Scene]:
    """A scene on a stack that is up; the stack is as it was afterwards, and nothing of the namespace is left.

    Raises:
        FaultError: there is no local stack that runs.
        StackError: a server does not start.
    """
    if not Supervisor(stack).answers():
        raise FaultError("faults are for the local stack, which does not run: start it with `questlog up`")
    namespace = f"faults_{uuid.uuid4().hex[:8]}"
    armed = stack.data_dir / "run" / f"{namespace}.point"
    here = stack.in_namespace(namespace, fault_point=f"@{armed}", **OF_THE_STREAM, **_address_of_an_api(stack))
    with ExitStack() as stage:
        stage.callback(_forget, here)
        pipeline.create(here)
        stage.callback(local.up, stack, console=QUIET)
        line = stage.enter_context(Line(free_port(), free_port()).carried()) if with_line else None
        stream = Streams(stack, here, 2 if with_standby else 1)
        stage.callback(stream.stop)
        name = _serve(stack, here, stream, line)
        publisher = Publisher(here)
        stage.callback(publisher.close)
        witness = stage.enter_context(watching(here))
        yield Scene(stack, here, name, stream, publisher, witness, seed, random.Random(seed), rate, line)


def _address_of_an_api(stack: Settings) -> dict[str, object]:
    port = free_port()
    return {"api_port": port, "api_url": f"http://{stack.host}:{port}"}


def _serve(stack: Settings, here: Settings, stream: Streams, line: Line | None) -> str:
    """Have the stack's supervisor run an API server and the stream for the namespace as well; the server's name."""
    through = here
    wanted = {service.name: service for service in local.services(stack)}
    if line:
        through = here.in_namespace(here.namespace, kafka_bootstrap=f"{stack.host}:{line.port_in}")
        wanted[kafka.NAME] = _with_a_listener(stack, wanted[kafka.NAME], line)
    server = replace(api.service_of(through), name=f"api-{here.namespace}")
    wanted[server.name] = replace(server, log=stack.logs_dir / f"{server.name}.log")
    local.up(stack, wanted=[*wanted.values(), *stream.services], console=QUIET)
    return server.name


def _with_a_listener(stack: Settings, service: Service, line: Line) -> Service:
    """Kafka with a second listener, whose clients are told to come over the line."""
    given = configure.rendered(stack, "kafka/server.properties")
    told = {
        "listeners": f"{LISTENER}://{stack.host}:{line.port}",
        "advertised.listeners": f"{LISTENER}://{stack.host}:{line.port_in}",
        "listener.security.protocol.map": f"{LISTENER}:PLAINTEXT",
    }
    lines = [
        f"{text},{told[name]}" if (name := text.partition("=")[0]) in told else text for text in given.splitlines()
    ]
    file = stack.data_dir / "run" / "kafka-with-a-line.properties"
    file.write_text("\n".join(lines))
    usual = str(stack.conf_dir / "kafka" / "server.properties")
    command = tuple(str(file) if part == usual else part for part in service.command)
    return replace(service, command=command, ports=(*service.ports, line.port))


def _forget(here: Settings) -> None:
    pipeline.reset(here)
    hdfs = Hdfs(here)
    for path in (here.staging, here.checkpoint):
        hdfs.delete(path)
    for log in here.logs_dir.glob(f"*{here.namespace}*"):
        log.unlink()

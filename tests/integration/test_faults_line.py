"""The line that can be cut, with a server behind it that answers what it is sent."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from questlog.api.server import free_port
from questlog.faults.line import HOST, Line

SAID = b"what is said" * 1000
SECONDS = 0.3
LATE = 0.1
PATIENCE = 10.0


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while said := self.request.recv(65_536):
            self.request.sendall(said)


@pytest.fixture
def line() -> Iterator[Line]:
    with socketserver.ThreadingTCPServer((HOST, 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.daemon_threads = True
        with Line(free_port(), server.server_address[1]).carried() as carried:
            yield carried
        server.shutdown()


@pytest.fixture
def caller(line: Line) -> Iterator[socket.socket]:
    with socket.create_connection((HOST, line.port_in), timeout=PATIENCE) as connection:
        yield connection


def answer(caller: socket.socket, said: bytes = SAID) -> bytes:
    caller.sendall(said)
    return hear(caller, len(said))


def hear(caller: socket.socket, most: int) -> bytes:
    heard = b""
    while len(heard) < most and (part := caller.recv(65_536)):
        heard += part
    return heard


def seconds_of(answering: socket.socket) -> float:
    began = time.monotonic()
    assert answer(answering, b"now") == b"now"
    return time.monotonic() - began


def test_it_passes_on_what_is_said_in_both_directions(caller: socket.socket) -> None:
    assert answer(caller) == SAID
    assert answer(caller) == SAID


def test_while_it_is_cut_nothing_passes_and_then_all_that_had_waited_does(line: Line, caller: socket.socket) -> None:
    assert answer(caller) == SAID
    began = time.monotonic()
    cutting = threading.Thread(target=line.cut, args=(SECONDS,))
    cutting.start()

    assert answer(caller) == SAID

    cutting.join()
    assert time.monotonic() - began >= SECONDS
    assert answer(caller) == SAID


def test_what_is_said_over_a_slow_line_comes_late_in_both_directions(line: Line, caller: socket.socket) -> None:
    slowing = threading.Thread(target=line.delay, args=(LATE, SECONDS))
    slowing.start()
    slow = seconds_of(caller)
    slowing.join()

    assert slow >= 2 * LATE


def test_a_reset_comes_in_the_middle_of_an_answer_and_the_next_connection_is_whole(
    line: Line, caller: socket.socket
) -> None:
    assert answer(caller, b"now") == b"now"
    breaking = threading.Thread(target=line.reset, args=(1,))
    breaking.start()
    while not line.is_about_to_reset():
        time.sleep(0)

    caller.sendall(SAID)
    with pytest.raises(ConnectionResetError):
        hear(caller, len(SAID))
    breaking.join()

    with socket.create_connection((HOST, line.port_in), timeout=PATIENCE) as another:
        assert answer(another) == SAID

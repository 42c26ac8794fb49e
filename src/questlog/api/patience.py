"""Slow clients: a connection on which nothing was answered for too long is ended, so that it holds no thread.

The server itself ends a connection whose headers take longer than `Settings.read_timeout`, or that is idle for so long,
but waits for a body for ever: for one that never comes, comes a byte a second, or for an answer that nobody reads. The
system knows of every connection when something was last sent on it (``struct tcp_info`` of Linux's ``tcp(7)``);
elsewhere than on Linux slow bodies are not ended.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from questlog.settings import Settings

DESCRIPTORS = "/proc/self/fd"
LAST_SENT = struct.Struct("I")  # tcpi_last_data_sent, in milliseconds; the connection's beginning when nothing was
LAST_SENT_AT = 44
LOOKS = 4  # looks at all connections within one `read_timeout`


def watch(settings: Settings) -> None:
    """Keep an eye on this process's connections, in a thread, as long as it lives."""
    if hasattr(socket, "TCP_INFO") and os.path.isdir(DESCRIPTORS):
        threading.Thread(target=_watch, args=(settings,), daemon=True).start()


def longest(settings: Settings) -> float:
    """Seconds for which a client may keep a connection without an answer: headers, body, and what waits for Kafka."""
    return 2 * settings.read_timeout + settings.ack_timeout


def _watch(settings: Settings) -> None:
    while True:
        time.sleep(settings.read_timeout / LOOKS)
        for connection in _connections(settings.api_port):
            with connection, suppress(OSError):  # it may end in this moment
                _end_if_overdue(connection, settings)


def _end_if_overdue(connection: socket.socket, settings: Settings) -> None:
    overdue = _silence(connection) - longest(settings)
    if overdue > settings.read_timeout:  # not even an answer gets through
        connection.shutdown(socket.SHUT_RDWR)
    elif overdue > 0:  # no more is read: the request is answered as it is
        connection.shutdown(socket.SHUT_RD)


def _silence(connection: socket.socket) -> float:
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, LAST_SENT_AT + LAST_SENT.size)
    milliseconds: int = LAST_SENT.unpack_from(info, LAST_SENT_AT)[0]
    return milliseconds / 1000


def _connections(port: int) -> Iterator[socket.socket]:
    """Copies of this process's sockets that are connected to the port; the caller closes them."""
    for name in os.listdir(DESCRIPTORS):
        with suppress(OSError):  # closed in this moment
            copy = os.dup(int(name))
            if not stat.S_ISSOCK(os.fstat(copy).st_mode):
                os.close(copy)
                continue
            connection = socket.socket(fileno=copy)
            if _is_connected_to(connection, port):
                yield connection
            else:
                connection.close()


def _is_connected_to(connection: socket.socket, port: int) -> bool:
    if connection.family not in (socket.AF_INET, socket.AF_INET6) or connection.getsockname()[1] != port:
        return False
    with suppress(OSError):  # one that listens has no peer
        return bool(connection.getpeername())
    return False

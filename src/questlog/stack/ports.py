"""Refuses to start a stack whose ports belong to somebody else."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

import psutil

from questlog.errors import PortTaken
from questlog.settings import PREFIX
from questlog.stack.service import Service


def check(host: str, services: Iterable[Service]) -> None:
    """Return when every port of the services is free.

    Raises:
        PortTaken: names each port that is not, the service that needs it, and the process that has it.
    """
    problems = [f"port {port} ({name}) {_owner(port)}" for port, name in taken(host, services).items()]
    if problems:
        raise PortTaken(
            f"{'; '.join(problems)}. Nothing was started. End that process, or move every port of this stack: "
            f"{PREFIX}PORT_OFFSET=1000."
        )


def taken(host: str, services: Iterable[Service]) -> dict[int, str]:
    """The ports of the services that are not free, each with the name of the service that needs it."""
    return {port: service.name for service in services for port in service.ports if not _is_free(host, port)}


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do: closed connections linger
        try:
            listener.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise PortTaken(f"port {port} of {host} cannot be had: {error.strerror}.") from error
            return False
    return True


def _owner(port: int) -> str:
    """Who listens on a port, as far as this user may see."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                return f"belongs to {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:  # macOS shows connections to root alone
        pass
    return "belongs to a process that this user may not see"

"""A line between the API and Kafka that can be cut: a TCP proxy on loopback.

Toxiproxy is the tool for this, but is a server in Go of which PyPI has only clients; of proxies in Python none is kept
that can hold back, delay and reset what passes.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

HOST = "127.0.0.1"
CHUNK = 65_536
RESET = struct.pack("ii", 1, 0)  # SO_LINGER for 0 s: closing sends a reset
HALF = 2  # of an answer this part gets through before the reset

Result = TypeVar("Result")


class Line:
    """Passes everything that comes to `port_in` on to `port`, while `carried` is entered."""

    def __init__(self, port_in: int, port: int) -> None:
        self.port_in = port_in
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._delay = 0.0
        self._resets = 0
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self, seconds: float) -> None:
        """Nothing passes for so long, as if a cable were pulled; then what had waited does."""
        self._tell(self._open.clear)
        try:
            time.sleep(seconds)
        finally:
            self._tell(self._open.set)

    def delay(self, by: float, seconds: float) -> None:
        """Whatever passes within so many seconds comes `by` seconds later, in both directions."""
        self._delay = by
        try:
            time.sleep(seconds)
        finally:
            self._delay = 0.0

    def reset(self, times: int) -> None:
        """The next so many answers of Kafka stop in their middle, and their connections are reset."""
        self._resets = times
        while self._resets:
            time.sleep(0.05)

    def is_about_to_reset(self) -> bool:
        """Whether the next answer will be cut short."""
        return self._resets > 0

    @contextmanager
    def carried(self) -> Iterator[Line]:
        """The line carries while the block runs."""
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        self._tell(self._open.set)
        listening = self._run(asyncio.start_server(self._join, HOST, self.port_in))
        try:
            yield self
        finally:
            self._run(self._close(listening))
            self._tell(self._loop.stop)
            thread.join()
            self._loop.close()

    def _tell(self, what: Callable[[], object]) -> None:
        self._loop.call_soon_threadsafe(what)

    def _run(self, what: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result()

    async def _join(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        with suppress(OSError):
            far, forth = await asyncio.open_connection(HOST, self.port)
            self._writers |= {back, forth}
            await asyncio.wait(
                [asyncio.ensure_future(self._pass(near, forth)), asyncio.ensure_future(self._pass(far, back, True))],
                return_when=asyncio.FIRST_COMPLETED,
            )
            self._writers -= {back, forth}
            forth.transport.abort()
        back.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, is_answer: bool = False) -> None:
        with suppress(OSError):
            while data := await source.read(CHUNK):
                await self._open.wait()
                await asyncio.sleep(self._delay)
                if is_answer and self._resets:
                    self._resets -= 1
                    target.write(data[: len(data) // HALF])
                    return _reset(target)
                target.write(data)
                await target.drain()
        return None

    async def _close(self, listening: asyncio.Server) -> None:
        listening.close()
        for writer in self._writers:
            writer.transport.abort()
        self._open.set()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()

"""Shows how far each server is: a live table on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.table import Table

WAITING, PREPARING, STARTING, READY, FAILED = "waiting", "preparing", "starting", "ready", "failed"
COLOURS = {WAITING: "dim", PREPARING: "yellow", STARTING: "yellow", READY: "green", FAILED: "red"}
ENDS = {READY, FAILED}


@dataclass
class Board:
    """The state of each server, and the seconds it took; may be told of from any thread."""

    names: Sequence[str]
    console: Console
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._states = dict.fromkeys(self.names, WAITING)
        self._ended: dict[str, float] = {}
        self._lock = threading.Lock()

    def tell(self, name: str, state: str) -> None:
        """Note that a server has come to a state."""
        with self._lock:
            self._states[name] = state
            if state in ENDS:
                self._ended[name] = self.seconds()
            if not self.console.is_terminal:
                self.console.print(f"{self.seconds():5.1f} s  {name}: {state}", highlight=False)

    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the table for as long as the block runs, when there is a terminal to show it on."""
        if not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, get_renderable=self.__rich__, refresh_per_second=5):
            yield

    def __rich__(self) -> Table:
        with self._lock:
            table = Table.grid(padding=(0, 2))
            for name, state in self._states.items():
                seconds = self._ended.get(name, self.seconds())
                table.add_row(name, f"[{COLOURS[state]}]{state}", f"{seconds:.0f} s")
            return table

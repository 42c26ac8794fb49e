"""The network of a Kafka client, whose own thread is woken once for several records.

kafka-python wakes it for the first record of each partition. It would then send the first partition's alone, and those
of the others with requests of their own, and at each time two threads would ask for the interpreter.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka.net.compat import KafkaNetClient


class Network(KafkaNetClient):  # type: ignore[misc]
    """What kafka-python's clients take as their ``kafka_client``."""

    def __init__(self, **config: Any) -> None:
        self._caller = threading.local()
        super().__init__(**config)

    @contextmanager
    def woken_once(self) -> Iterator[None]:
        """Wake the network's thread at the end of the block, if the calling thread has anything for it by then."""
        self._caller.holds, self._caller.wants = True, False
        try:
            yield
        finally:
            self._caller.holds = False
            if self._caller.wants:
                self.wakeup()

    def wakeup(self) -> None:
        """Wake the network's thread: now, or at the end of the calling thread's block."""
        if getattr(self._caller, "holds", False):
            self._caller.wants = True
        else:
            super().wakeup()

"""Upkeep: compaction at an interval, in a thread beside a stream that runs.

It goes through the gate like any other process (`questlog.catalog.gate`), so the stream need not know of it. But they
share an interpreter, and the stream asks for it a hundred times a micro-batch: it gets it within `SWITCH_SECONDS`,
where it would be 5 ms.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from questlog.catalog.compaction import compact
from questlog.catalog.swap import AtPoint
from questlog.errors import QuestlogError
from questlog.settings import Settings

LOG = logging.getLogger(__name__)
SWITCH_SECONDS = 0.0005


@contextmanager
def compacting(settings: Settings, at: AtPoint = lambda _: None) -> Iterator[None]:
    """While the block runs, compact every `Settings.compact_minutes`; never, if that is 0.

    What goes wrong is logged, and tried again the next time: the stream goes on. At the end, what is being exchanged is
    finished first.
    """
    if not settings.compact_minutes:
        yield
        return
    ends, before = threading.Event(), sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    thread = threading.Thread(target=_compact_until, args=(settings, ends, at), name="questlog-compaction")
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()
        sys.setswitchinterval(before)


def _compact_until(settings: Settings, ends: threading.Event, at: AtPoint) -> None:
    while not ends.wait(settings.compact_minutes * 60):
        try:
            done = compact(settings, ends=ends, at=at)
            LOG.info("merged files of %s partitions", len(done))
        except QuestlogError as error:
            LOG.warning("nothing more is merged before the next time: %s", error)

"""The stream of a namespace in this process: Spark, the writer lease, the job, and compactions beside it."""

from __future__ import annotations

import threading
from typing import Any

from questlog.catalog import compaction
from questlog.events import CATALOGUE, Catalogue
from questlog.lake.lease import OnWait
from questlog.lake.writer import open_writer
from questlog.pipeline.maintenance import LEASE_WAIT, create, place
from questlog.settings import Settings
from questlog.stream import job
from questlog.stream.faults import Faults
from questlog.stream.session import session
from questlog.stream.signals import told_by_signals
from questlog.stream.timings import Timings


def stream(
    settings: Settings,
    catalogue: Catalogue = CATALOGUE,
    *,
    available_now: bool = True,
    stop: threading.Event | None = None,
    on_wait: OnWait = lambda holder: None,
    keeps_classes: bool = False,
    **options: Any,
) -> job.Summary:
    """Run the stream in this process, until caught up unless told otherwise; `options` are those of `job.run`.

    It starts Spark, waits for the writer lease, and lands. While it waits it is the standby of the stream that runs.

    Args:
        settings: where everything is.
        catalogue: the event types.
        available_now: end once caught up; then the wait for the lease is short.
        stop: ends the run when it is set; so do Ctrl-C and SIGTERM.
        on_wait: is called with a description of the lease's holder, if it is held, once this standby is warm.
        keeps_classes: leave an archive of Spark's classes at the end, unless there is one.

    Raises:
        LeaseHeld: `available_now`, and another process holds the lease.
        StreamError, LakeError: as in `job.run`.
    """
    catalogue.select(options.get("event_types"))
    timings, faults, where = Timings(), Faults(settings.fault_point), place(settings)
    create(settings, catalogue)
    keeps_classes = keeps_classes and where.classes is not None and not where.classes.is_there
    spark = session(settings, where, keeps_classes=keeps_classes)
    with told_by_signals(stop or threading.Event()) as told:  # after PySpark has put its own handler of Ctrl-C there

        def wait(holder: str) -> None:
            if not available_now:
                job.warm_up(spark, settings, catalogue)
            on_wait(holder)

        seconds = settings.lease_seconds + LEASE_WAIT if available_now else None
        with open_writer(
            settings, "stream", wait=seconds, stop=told, on_wait=wait, observers=(timings, faults)
        ) as writer:
            if writer is None:
                return job.NOTHING
            with compaction.in_background(writer):
                summary = job.run(
                    spark, writer, timings, catalogue=catalogue, available_now=available_now, stop=told, **options
                )
        if where.classes and keeps_classes:
            where.classes.end_at_exit(keeps=summary.landed > 0)
        return summary

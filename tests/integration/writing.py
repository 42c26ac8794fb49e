"""A writer without a stream: batches and switches of a few rows, for tests of the writer lease and of recovery.

As a program it writes in a process of its own. ``python writing.py hold`` holds the lease until it is told to end.
``python writing.py publish NUMBER POINT`` and ``python writing.py switch NUMBER POINT`` stop themselves by SIGSTOP at a
point, and say what became of the rest once they are continued.
"""

import os
import signal
import sys
import threading
import uuid
from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta

import landed
import pyarrow as pa
from lake import FEW

from questlog.errors import LeaseLost
from questlog.events.schema import DEAD_LETTER_COLUMNS
from questlog.lake import layout, parquet
from questlog.lake.hdfs import Hdfs
from questlog.lake.lease import WriterLease
from questlog.lake.types import arrow_schema
from questlog.lake.writer import Partition, Writer, open_writer
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE, Settings
from questlog.stream import audit
from questlog.stream.progress import Progress
from questlog.stream.signals import told_by_signals
from questlog.stream.transforms import LANDED, OUTCOMES, REJECTED

STREAM = "abcd1234"
TYPE = "page_view"
FIRST_DAY = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAYS = 2
"""Days of each batch; no other batch has them."""
HOLDS, WAITS, LOST = "holds", "waits for", "lost"


def days(number: int) -> list[date]:
    return [(FIRST_DAY + timedelta(days=DAYS * number + day)).date() for day in range(DAYS)]


def partitions(number: int) -> list[Partition]:
    """What a batch of this number has rows in, but table ``batches``."""
    return [*((EVENTS_TABLE, layout.partition_name(day)) for day in days(number)), (DEAD_LETTERS_TABLE, layout.WHOLE)]


def files(number: int) -> dict[str, bytes]:
    """The files of a batch: an event on each of its days, a dead letter, and the audit."""
    counts = {TYPE: {**dict.fromkeys(OUTCOMES, 0), LANDED: DAYS, REJECTED: 1}}
    letter = pa.Table.from_pylist([{"event_type": TYPE, "kafka_offset": number}], arrow_schema(DEAD_LETTER_COLUMNS))
    made = {
        f"{EVENTS_TABLE}/{layout.partition_name(day)}/part-0.parquet": landed.encode(
            TYPE, landed.event(f"batch-{number}", datetime(day.year, day.month, day.day, 12, tzinfo=UTC)), catalogue=FEW
        )
        for day in days(number)
    }
    made[f"{DEAD_LETTERS_TABLE}/part-0.parquet"] = parquet.encode(DEAD_LETTERS_TABLE, letter)
    made[f"{BATCHES_TABLE}/{layout.audit_name(name(number))}"] = audit.encode(counts, STREAM, number)
    return made


def name(number: int) -> str:
    return layout.batch_name(STREAM, number)


def publish(writer: Writer, number: int) -> None:
    """Write a batch, and publish it."""
    attempt, made = new_attempt(writer), files(number)
    for file, content in made.items():
        writer.hdfs.write(f"{attempt}/{file}", content)
    writer.notify("written", number)
    writer.publish(attempt, name(number), list(made), number)


def publish_progress(writer: Writer, number: int) -> None:
    """Publish a row of table ``stream_progress``."""
    progress = Progress(writer)
    progress.add({"stream": STREAM, "batch": number, "started_at": FIRST_DAY})
    progress.flush()


def switch(writer: Writer, chosen: Collection[Partition]) -> None:
    """Merge the files of partitions, and switch to the merged ones."""
    attempt = new_attempt(writer)
    for table, partition in chosen:
        contents = [writer.hdfs.read(file.path) for file in writer.hdfs.files(writer.locations[table, partition])]
        merged = parquet.merge(table, contents)
        writer.hdfs.write(f"{layout.rows_folder(attempt, table, partition)}/merged.parquet", merged)
    writer.notify("compact_copied")
    writer.switch(attempt)


def new_attempt(writer: Writer) -> str:
    return f"{layout.attempts(writer.settings)}/{uuid.uuid4().hex[:8]}"


def hold(settings: Settings) -> None:
    lease = WriterLease(settings, Hdfs(settings), "stream")
    with told_by_signals(threading.Event()) as told:
        if lease.acquire(stop=told, on_wait=lambda holder: say(WAITS, holder)):
            say(HOLDS, lease.epoch)
            told.wait()
            lease.release()


def write_with_a_pause(settings: Settings, what: str, number: int, point: str) -> None:
    once = threading.Lock()

    def pause(passed: str, _batch: int) -> None:
        if passed == point and once.acquire(blocking=False):
            os.kill(os.getpid(), signal.SIGSTOP)

    with open_writer(settings, "stream", observers=(pause,)) as writer:
        assert writer is not None
        try:
            publish(writer, number) if what == "publish" else switch(writer, partitions(number))
        except LeaseLost as error:
            say(LOST, error)


def say(*words: object) -> None:
    print(*words, flush=True)


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    if what == "hold":
        hold(Settings.load())
    else:
        write_with_a_pause(Settings.load(), what, int(rest[0]), rest[1])

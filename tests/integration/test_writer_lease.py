"""The writer lease on real HDFS: one process writes at a time, and what it has prepared is published, once.

No stream runs here: `test_stream_service` has two.
"""

import itertools
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import writing
from lake import Lake, filling

from questlog import pipeline
from questlog.errors import LakeError, LeaseHeld, LeaseLost
from questlog.lake import layout
from questlog.lake.hdfs import Gone, Hdfs
from questlog.lake.lease import WriterLease
from questlog.lake.metastore import Metastore
from questlog.lake.writer import Observer, Writer, open_writer
from questlog.pipeline import maintenance
from questlog.settings import Settings
from waiting import eventually

DEADLINE = 120.0  # seconds for what takes a few when nothing else runs
NUMBERS = itertools.count()
ONCE = (writing.DAYS, 1, 1)
"""What is seen of a batch: its events, its dead letters, its audits."""


class Cut(Exception):
    """The process ends here, as by kill -9."""


@dataclass
class Program:
    """`writing` as a process of its own."""

    process: psutil.Popen
    output: Path

    @property
    def says(self) -> str:
        return self.output.read_text()

    @property
    def is_paused(self) -> bool:
        return bool(self.process.status() == psutil.STATUS_STOPPED)

    def end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait(DEADLINE)


@contextmanager
def program(settings: Settings, tmp_path: Path, *arguments: object) -> Iterator[Program]:
    output = tmp_path / f"{uuid.uuid4().hex}.txt"
    command = [sys.executable, writing.__file__, *map(str, arguments)]
    with (
        output.open("w") as out,
        psutil.Popen(command, env=settings.environment(), stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        try:
            yield Program(process, output)
        finally:
            if process.poll() is None:
                process.kill()


@pytest.fixture(scope="module")
def lake(settings: Settings) -> Iterator[Lake]:
    """Tables that all tests share: each batch has days of its own."""
    with filling(settings.in_namespace(f"test_{uuid.uuid4().hex[:12]}", lease_seconds=1)) as made:
        yield made


@pytest.fixture
def number() -> int:
    """The number of a new batch."""
    return next(NUMBERS)


@contextmanager
def writer_of(lake: Lake, *observers: Observer) -> Iterator[Writer]:
    with open_writer(lake.settings, "test", wait=DEADLINE, observers=observers) as writer:
        assert writer is not None
        yield writer


def cut_at(point: str) -> Observer:
    def cut(passed: str, _batch: int) -> None:
        if passed == point:
            raise Cut

    return cut


def seen(lake: Lake, number: int) -> tuple[object, ...]:
    """The batch's events, dead letters and audits that queries see."""
    [counts] = lake.rows(
        f"SELECT (SELECT count(*) FROM events WHERE user_id = 'batch-{number}'), "
        f"(SELECT count(*) FROM dead_letters WHERE kafka_offset = {number}), "
        f"(SELECT count(*) FROM batches WHERE batch = {number})"
    )
    return tuple(counts)


def versions(writer: Writer, number: int) -> set[str]:
    """The versions of the partitions in which a batch has rows."""
    return {layout.version_of(writer.locations[partition]) for partition in writing.partitions(number)}


def with_lease(settings: Settings, seconds: float) -> Settings:
    return settings.in_namespace(settings.namespace, lease_seconds=seconds)


def test_of_two_processes_one_writes_and_the_other_takes_over_when_it_is_killed(
    fresh: Settings, tmp_path: Path
) -> None:
    here = with_lease(fresh, 4)
    with program(here, tmp_path, "hold") as one, program(here, tmp_path, "hold") as other:
        eventually(lambda: writing.HOLDS in one.says or writing.HOLDS in other.says, deadline=DEADLINE)
        holder, waiting = (one, other) if writing.HOLDS in one.says else (other, one)
        eventually(lambda: writing.WAITS in waiting.says, deadline=DEADLINE)
        before = waiting.says
        holder.end(signal.SIGKILL)
        eventually(lambda: writing.HOLDS in waiting.says, deadline=DEADLINE)

    assert holder.says == f"{writing.HOLDS} 1\n"
    assert before.startswith(f"{writing.WAITS} questlog stream, process {holder.process.pid} on ")
    assert waiting.says == f"{before}{writing.HOLDS} 2\n"


def test_a_writer_that_is_told_to_end_hands_over_at_once(fresh: Settings, tmp_path: Path) -> None:
    here = with_lease(fresh, 40)
    with program(here, tmp_path, "hold") as holder:
        eventually(lambda: writing.HOLDS in holder.says, deadline=DEADLINE)
        with program(here, tmp_path, "hold") as waiting:
            eventually(lambda: writing.WAITS in waiting.says, deadline=DEADLINE)
            holder.end(signal.SIGTERM)
            eventually(lambda: writing.HOLDS in waiting.says, "it takes over", deadline=here.lease_seconds / 2)


def test_of_many_that_want_a_new_lease_at_once_one_has_it_at_a_time(fresh: Settings) -> None:
    together, inside, problems = threading.Barrier(6), threading.Lock(), list[str]()
    epochs = list[int]()

    def write() -> None:
        lease = WriterLease(fresh, Hdfs(fresh), "test")
        together.wait()
        lease.acquire()
        if not inside.acquire(blocking=False):
            problems.append(f"epoch {lease.epoch} is not alone")
        else:
            epochs.append(lease.epoch)
            inside.release()
        lease.release()

    threads = [threading.Thread(target=write) for _ in range(together.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert epochs == [*range(1, together.parties + 1)]


def test_a_lease_that_is_just_being_taken_is_not_free(fresh: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    rename, asked = Hdfs.rename, list[str]()

    def rename_and_let_another_look(self: Hdfs, source: str, target: str) -> None:
        rename(self, source, target)
        if not asked:
            asked.append(target)
            with pytest.raises(LeaseHeld, match="a process that is just starting"):
                WriterLease(fresh, Hdfs(fresh), "test").acquire(wait=0)

    monkeypatch.setattr(Hdfs, "rename", rename_and_let_another_look)
    lease = WriterLease(fresh, Hdfs(fresh), "test")
    assert lease.acquire()
    lease.release()

    assert asked == [layout.prepared(fresh, 1)]


def test_a_rename_replaces_nothing_and_moves_nothing_into_a_folder_that_is_there(fresh: Settings) -> None:
    hdfs, folder = Hdfs(fresh), fresh.staging
    for name in ("source/file", "target/file"):
        hdfs.write(f"{folder}/{name}", name.encode())

    with pytest.raises(LakeError, match="cannot be renamed"):
        hdfs.rename_folder(f"{folder}/source", f"{folder}/target")
    with pytest.raises(LakeError, match="Unable to rename"):
        hdfs.rename(f"{folder}/source/file", f"{folder}/target/file")
    for source, target in (("source", "no/target"), ("no-source", "new")):
        with pytest.raises(Gone):
            hdfs.rename_folder(f"{folder}/{source}", f"{folder}/{target}")

    assert hdfs.read(f"{folder}/target/file") == b"target/file"
    assert [entry.name for entry in hdfs.entries(f"{folder}/target")] == ["file"]
    assert hdfs.exists(f"{folder}/source/file")


def test_a_process_that_is_told_to_stop_while_it_waits_does_not_write(lake: Lake) -> None:
    stop = threading.Event()
    with (
        open_writer(lake.settings, "stream"),
        open_writer(lake.settings, "stream", stop=stop, on_wait=lambda _: stop.set()) as second,
    ):
        assert second is None


@pytest.mark.parametrize("what", ["compact", "replay"])
def test_what_would_get_in_the_way_of_a_stream_is_refused_and_told_who_writes(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(maintenance, "LEASE_WAIT", 0.0)
    arguments = ["events"] if what == "replay" else []

    with open_writer(lake.settings, "stream"), pytest.raises(LeaseHeld) as held:
        getattr(pipeline, what)(lake.settings, *arguments)

    assert str(held.value).startswith(f"the writer lease of namespace {lake.settings.namespace} is held by ")
    since = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    held.match(rf"questlog stream, process \d+ on \S+, since {since}\. Stop it first")


@pytest.mark.parametrize("point", ["written", "prepared", "publishing", "published", "added"])
def test_a_writer_that_was_paused_past_its_lease_publishes_nothing_more(
    lake: Lake, tmp_path: Path, number: int, point: str
) -> None:
    with program(lake.settings, tmp_path, "publish", number, point) as paused:
        eventually(lambda: paused.is_paused, "it is paused", deadline=DEADLINE)
        with writer_of(lake) as successor:
            by_its_successor = seen(lake, number)
            paused.end(signal.SIGCONT)
            assert seen(lake, number) == by_its_successor
            assert successor.hdfs.folders(successor.lease.folder) == []

    assert paused.says.startswith(f"{writing.LOST} another process took the writer lease")
    assert by_its_successor == ((0, 0, 0) if point == "written" else ONCE)


@pytest.mark.parametrize("point", ["compact_copied", "compact_prepared", "compact_placed"])
def test_a_writer_that_was_paused_past_its_lease_switches_nothing_more(
    lake: Lake, tmp_path: Path, number: int, point: str
) -> None:
    with writer_of(lake) as writer:
        writing.publish(writer, number)
    with program(lake.settings, tmp_path, "switch", number, point) as paused:
        eventually(lambda: paused.is_paused, "it is paused", deadline=DEADLINE)
        with writer_of(lake) as successor:
            writing.switch(successor, writing.partitions(number))
            later = next(NUMBERS)
            writing.publish(successor, later)
            paused.end(signal.SIGCONT)
            assert Metastore(lake.settings).locations("dead_letters") == successor.locations_of("dead_letters")
            assert Metastore(lake.settings).locations("events") == successor.locations_of("events")

    assert paused.says.startswith(f"{writing.LOST} another process took the writer lease")
    assert seen(lake, number) == seen(lake, later) == ONCE


def test_a_former_writer_deletes_no_attempt_of_its_successor(lake: Lake) -> None:
    hdfs, attempt = Hdfs(lake.settings), f"{layout.attempts(lake.settings)}/newer/events/part-0.parquet"
    with writer_of(lake) as former:
        hdfs.rename_folder(former.lease.folder, layout.prepared(lake.settings, former.lease.epoch + 1))
        hdfs.write(attempt, b"rows")
        with pytest.raises(LeaseLost):
            former.recover()
    assert hdfs.exists(attempt)


def test_a_location_that_a_former_writer_switches_back_is_repaired(
    lake: Lake, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    with writer_of(lake) as writer:
        writing.publish(writer, number)
        before = writer.locations_of("events")
        writing.switch(writer, writing.partitions(number))
        after = writer.locations_of("events")
        Metastore(lake.settings).switch("events", before)

        writer.refresh()

        assert writer.locations_of("events") == Metastore(lake.settings).locations("events") == after
    assert "was switched back to" in caplog.text
    assert seen(lake, number) == ONCE


def test_what_was_not_prepared_is_deleted(lake: Lake, number: int) -> None:
    with pytest.raises(Cut), writer_of(lake, cut_at("written")) as writer:
        writing.publish(writer, number)

    with writer_of(lake) as next_one:
        assert not next_one.is_committed(writing.name(number))
        assert next_one.hdfs.folders(layout.attempts(lake.settings)) == []
    assert seen(lake, number) == (0, 0, 0)


@pytest.mark.parametrize("point", ["prepared", "publishing", "published", "added", "committed"])
def test_a_batch_that_was_cut_after_it_was_prepared_is_published_by_the_next_writer(
    lake: Lake, number: int, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One after the other: at the cut one file is published, and the others are not.
    monkeypatch.setattr(Hdfs, "each", lambda self, work, items: [work(item) for item in items])
    with pytest.raises(Cut), writer_of(lake, cut_at(point)) as writer:
        writing.publish(writer, number)

    with writer_of(lake) as next_one:
        assert next_one.is_committed(writing.name(number))
        assert next_one.hdfs.folders(next_one.lease.folder) == []
    assert seen(lake, number) == ONCE


def test_progress_that_was_cut_after_it_was_prepared_is_published_by_the_next_writer(
    lake: Lake, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise Cut

    monkeypatch.setattr(Writer, "_publish", cut)
    with pytest.raises(Cut), writer_of(lake) as writer:
        writing.publish_progress(writer, number)
    monkeypatch.undo()

    with writer_of(lake):
        assert lake.rows(f"SELECT count(*) FROM stream_progress WHERE batch = {number}") == [(1,)]


@pytest.mark.parametrize("point", ["compact_prepared", "compact_placed", "compact_switched"])
def test_a_switch_that_was_cut_after_it_was_prepared_is_finished_by_the_next_writer(
    lake: Lake, number: int, point: str
) -> None:
    with writer_of(lake) as writer:
        writing.publish(writer, number)
    with pytest.raises(Cut), writer_of(lake, cut_at(point)) as writer:
        writing.switch(writer, writing.partitions(number))
    at_the_cut = seen(lake, number)
    epoch = writer.lease.epoch

    with writer_of(lake) as next_one:
        assert versions(next_one, number) == {layout.version(epoch, 1)}
        assert next_one.hdfs.folders(next_one.lease.folder) == []
        writing.publish(next_one, later := next(NUMBERS))
    assert at_the_cut == seen(lake, number) == seen(lake, later) == ONCE


def test_a_switch_of_which_one_folder_is_in_its_place_is_finished_by_the_next_writer(
    lake: Lake, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Writer._place

    def place_and_die(self: Writer, rows: str, target: str) -> None:
        place(self, rows, target)
        raise Cut

    with writer_of(lake) as writer:
        writing.publish(writer, number)
    monkeypatch.setattr(Writer, "_place", place_and_die)
    with pytest.raises(Cut), writer_of(lake) as writer:
        writing.switch(writer, writing.partitions(number))
    monkeypatch.undo()

    with writer_of(lake) as next_one:
        assert versions(next_one, number) == {layout.version(writer.lease.epoch, 1)}
    assert seen(lake, number) == ONCE


rename_folder = Hdfs.rename_folder


def switch_refused(_self: Metastore, _table: str, _locations: object) -> None:
    raise LakeError("the metastore is away")


def switch_prepared_without_an_answer(self: Hdfs, source: str, target: str) -> None:
    rename_folder(self, source, target)
    if layout.PREPARED.search(target) and "/switch-" in target:
        raise LakeError("the answer was lost")


@pytest.mark.parametrize(
    "cut",
    [(Metastore, "switch", switch_refused), (Hdfs, "rename_folder", switch_prepared_without_an_answer)],
    ids=["at the metastore", "after prepare"],
)
def test_a_switch_that_was_cut_in_a_writer_that_goes_on_is_finished_before_its_next_batch(
    lake: Lake, number: int, monkeypatch: pytest.MonkeyPatch, cut: tuple[type, str, object]
) -> None:
    later = next(NUMBERS)
    with writer_of(lake) as writer:
        writing.publish(writer, number)
        with monkeypatch.context() as patched:
            patched.setattr(*cut)
            with pytest.raises(LakeError, match=r"the metastore is away|the answer was lost"):
                writing.switch(writer, writing.partitions(number))
        writing.publish(writer, later)  # its dead letter is in a table that was to be switched
        assert versions(writer, number) == {layout.version(writer.lease.epoch, 1)}

    with writer_of(lake):
        assert seen(lake, number) == seen(lake, later) == ONCE

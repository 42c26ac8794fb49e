"""The archive of Spark's classes: the first run that lands something leaves it, the next one starts from it."""

import subprocess
import sys
from pathlib import Path

import kafka_shaped as shaped
import psutil
import pytest

from questlog import pipeline
from questlog.settings import Settings
from questlog.stream.classes import FOLDER, NOTICE
from questlog.transport.producer import Publisher
from waiting import eventually

DEADLINE = 300.0


@pytest.fixture
def unarchived(fresh: Settings, tmp_path: Path) -> Settings:
    """A cache that has all but the archive."""
    for entry in fresh.cache_dir.iterdir():
        if entry.name != FOLDER:
            (tmp_path / entry.name).symlink_to(entry)
    return fresh.in_namespace(fresh.namespace, cache_dir=tmp_path)


def stream(settings: Settings, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "questlog", "stream", *options]
    return subprocess.Popen(
        command, env=settings.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def mapped(process: psutil.Process) -> set[str]:
    try:
        return {each.path for each in process.memory_maps()}
    except psutil.NoSuchProcess:  # a launcher that ended meanwhile, or is not yet waited for
        return set()


def maps(process: psutil.Process, file: Path) -> bool:
    return any(str(file) in mapped(child) for child in process.children(recursive=True))


@pytest.mark.timeout(900)
def test_a_run_that_lands_something_leaves_the_archive_and_the_next_start_uses_it(
    unarchived: Settings, publisher: Publisher
) -> None:
    publisher.publish([shaped.purchase("a")])

    with stream(unarchived, "--available-now") as first:
        _, words = first.communicate()

    archive = pipeline.place(unarchived).classes
    assert first.returncode == 0
    assert NOTICE in words
    assert archive is not None
    assert [each.name for each in (unarchived.cache_dir / FOLDER).iterdir()] == [archive.file.name]
    with stream(unarchived) as second:
        try:
            eventually(lambda: maps(psutil.Process(second.pid), archive.file), deadline=DEADLINE)
        finally:
            second.terminate()


def test_a_run_that_lands_nothing_leaves_no_archive(unarchived: Settings) -> None:
    with stream(unarchived, "--available-now") as run:
        _, words = run.communicate()

    assert run.returncode == 0
    assert NOTICE not in words
    assert list((unarchived.cache_dir / FOLDER).iterdir()) == []

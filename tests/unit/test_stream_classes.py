"""Which archive of Spark's classes a start asks for, and what it tells Java."""

import os
import time
from pathlib import Path

import pytest

from questlog.stream.classes import FOLDER, KEEP_SECONDS, UNUSED_DAYS, Archive, archive, delete_unused


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    jar = tmp_path / "kafka.jar"
    jar.write_bytes(b"classes")
    return jar


@pytest.fixture
def java(tmp_path: Path) -> Path:
    (tmp_path / "release").write_text('JAVA_VERSION="17.0.1"')
    return tmp_path


def found(tmp_path: Path, java: Path, jar: Path) -> Archive:
    made = archive(tmp_path / "cache", java, (jar,))
    assert made is not None
    return made


def test_a_jar_that_was_written_anew_asks_for_another_archive(tmp_path: Path, java: Path, jar: Path) -> None:
    before = found(tmp_path, java, jar).file
    assert found(tmp_path, java, jar).file == before

    jar.write_bytes(b"other classes")

    assert found(tmp_path, java, jar).file != before


def test_another_java_asks_for_another_archive(tmp_path: Path, java: Path, jar: Path) -> None:
    before = found(tmp_path, java, jar).file

    (java / "release").write_text('JAVA_VERSION="17.0.2"')

    assert found(tmp_path, java, jar).file != before


def test_a_start_without_an_archive_writes_a_draft_if_it_is_to_keep_one(tmp_path: Path, java: Path, jar: Path) -> None:
    none = found(tmp_path, java, jar)

    assert none.options(keeps=False) == ()
    assert f"-XX:ArchiveClassesAtExit={none.draft}" in none.options(keeps=True)


def test_a_start_uses_the_archive_that_is_there_which_counts_as_used_now(tmp_path: Path, java: Path, jar: Path) -> None:
    there = found(tmp_path, java, jar)
    there.file.touch()
    os.utime(there.file, (0, time.time() - 2 * UNUSED_DAYS * 86_400))

    assert f"-XX:SharedArchiveFile={there.file}" in there.options(keeps=True)
    assert time.time() - there.file.stat().st_mtime < 60


def test_a_cache_that_cannot_be_written_has_no_archive(tmp_path: Path, java: Path, jar: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / FOLDER).write_text("a file, where a folder would have to be")

    assert archive(tmp_path / "cache", java, (jar,)) is None


def test_archives_that_nobody_uses_are_deleted_and_drafts_that_nobody_writes_any_more(
    tmp_path: Path, java: Path, jar: Path
) -> None:
    at_work, used = found(tmp_path, java, jar).draft, found(tmp_path, java, jar).file
    left, unused = at_work.with_suffix(".left.jsa"), used.with_stem("unused")
    ages = {at_work: 0, left: 2 * KEEP_SECONDS, used: 2 * KEEP_SECONDS, unused: (UNUSED_DAYS + 1) * 86_400}
    for file, age in ages.items():
        file.touch()
        os.utime(file, (0, time.time() - age))

    delete_unused(used.parent)

    assert set(used.parent.iterdir()) == {at_work, used}

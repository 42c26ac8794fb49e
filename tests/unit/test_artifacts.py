"""The engines' files, as far as they are in the cache already: nothing here reaches for a repository."""

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from questlog.errors import SetupError
from questlog.stack.artifacts import classpath, fetch, unpacked
from questlog.stack.lockfile import Artifact, read_lock, write_lock

NOWHERE = ["http://127.0.0.1:9/none"]


def put(cache: Path, coordinate: str, content: bytes = b"a jar") -> Artifact:
    """A right file in the cache, and how the lock names it."""
    artifact = Artifact(coordinate, hashlib.sha256(content).hexdigest(), len(content))
    file = cache / "maven" / artifact.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return artifact


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "engines.toml"


def test_a_coordinate_names_its_file_as_maven_does():
    paths = {
        "org.a:b:1": "org/a/b/1/b-1.jar",
        "org.a:b:1:zip": "org/a/b/1/b-1.zip",
        "org.a:b:1:tar.gz:bin": "org/a/b/1/b-1-bin.tar.gz",
    }
    assert {c: Artifact(c, "", 0).path.as_posix() for c in paths} == paths


def test_what_is_written_to_a_lock_is_read_from_it_sorted(lock: Path):
    z, a = Artifact("z:z:1", "ff", 2), Artifact("a:a:1:zip", "00", 1)
    write_lock(lock, {"two": [z, a], "one": [a]})
    assert read_lock(lock) == {"one": (a,), "two": (a, z)}


def test_the_projects_lock_pins_every_engine():
    engines = read_lock()
    assert set(engines) == {"byteman", "kafka", "hdfs", "metastore", "presto", "presto-hive", "spark-kafka"}
    assert all(len(a.sha256) == 64 and a.size > 0 for artifacts in engines.values() for a in artifacts)


@pytest.mark.parametrize("text", ["not = [toml", "engine = 1", '[engine]\n"a:b:1" = { size = 1 }'])
def test_a_lock_that_is_none_is_named(lock: Path, text: str):
    lock.write_text(text)
    with pytest.raises(SetupError, match=r"engines\.toml cannot be read"):
        read_lock(lock)


def test_right_files_in_the_cache_are_taken_as_they_are(cache: Path, lock: Path):
    write_lock(lock, {"engine": [put(cache, "org.a:b:1"), put(cache, "org.a:c:1", b"another")]})
    fetch(cache, lock=lock, repositories=NOWHERE)
    assert [jar.name for jar in classpath(cache, "engine", lock=lock)] == ["b-1.jar", "c-1.jar"]


def test_files_are_not_hashed_again_while_nobody_touched_them(cache: Path, lock: Path):
    artifact = put(cache, "org.a:b:1", b"right")
    write_lock(lock, {"engine": [artifact]})
    fetch(cache, lock=lock, repositories=NOWHERE)
    file = cache / "maven" / artifact.path
    before = file.stat().st_mtime_ns
    file.write_bytes(b"wrong")
    os.utime(file, ns=(before, before))
    fetch(cache, lock=lock, repositories=NOWHERE)  # to see the difference it would have to read the file
    assert file.read_bytes() == b"wrong"


def test_one_engine_can_be_fetched_without_the_others(cache: Path, lock: Path):
    write_lock(lock, {"here": [put(cache, "org.a:b:1")], "elsewhere": [Artifact("org.a:c:1", "00", 1)]})
    fetch(cache, ["here"], lock=lock, repositories=NOWHERE)
    assert classpath(cache, "here", lock=lock)


def test_an_archive_is_unpacked_without_its_top_folder_and_is_no_jar(cache: Path, lock: Path, tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
        file.writestr("b-1/lib/inner.jar", "jar")
    write_lock(lock, {"engine": [put(cache, "org.a:b:1:zip", (tmp_path / "b.zip").read_bytes())]})
    fetch(cache, lock=lock, repositories=NOWHERE)
    assert (unpacked(cache, "engine", lock=lock) / "lib" / "inner.jar").read_text() == "jar"
    assert classpath(cache, "engine", lock=lock) == []


def test_a_jar_that_is_missing_is_named_with_what_to_do(cache: Path, lock: Path):
    write_lock(lock, {"engine": [put(cache, "org.a:b:1"), Artifact("org.a:c:1", "00", 1)]})
    with pytest.raises(SetupError, match=r"1 of 2 jars of engine .* c-1\.jar .* run scripts/setup"):
        classpath(cache, "engine", lock=lock)


def test_an_archive_that_is_not_unpacked_says_what_to_do(cache: Path, lock: Path):
    write_lock(lock, {"engine": [Artifact("org.a:b:1:zip", "00", 1)]})
    with pytest.raises(SetupError, match=r"engine is not unpacked in .*: run scripts/setup"):
        unpacked(cache, "engine", lock=lock)


@pytest.mark.parametrize("ask", [classpath, unpacked])
def test_an_unknown_engine_is_named_beside_the_known_ones(cache: Path, ask):
    with pytest.raises(SetupError, match="no engine 'kafke'; it has byteman, hdfs, kafka"):
        ask(cache, "kafke")

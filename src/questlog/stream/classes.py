"""An archive of the classes of Spark's driver, with which it starts sooner.

From the start to the first row it takes 15 s in place of 22 s, and 16 s of processor time in place of 23 s (two cores,
nothing else running). So a stream without a standby is back within 30 s of its death, of which its lease takes 5.

Java maps classes from such an archive instead of reading, checking and linking each anew. The first run that lands
something and then ends by itself leaves one in `Settings.cache_dir`; later starts with the same Java and jars use it.
Java looks itself whether an archive fits, and without one everything works as well.
Source: https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pyspark import SparkContext
from pyspark.find_spark_home import _find_spark_home

FOLDER = "classes"
SUFFIX = ".jsa"
DRAFT = "."
"""What the name of a draft begins with."""
UNUSED_DAYS = 30
"""Days after which an archive that nobody used is deleted."""
KEEP_SECONDS = 120.0
"""Most that a run waits for Java to write its draft; one that is older was left by a run that was killed."""
NOTICE = "Keeping Spark's classes, once: the next start takes a third less time."
QUIET = ("-Xlog:disable", "-Xlog:all=error:stderr")
"""Java warns of each class that an archive can not take."""


@dataclass(frozen=True)
class Archive:
    """The archive for one Java and one class path: `file` if it is there, else a `draft` that a run may leave."""

    file: Path
    draft: Path

    @property
    def is_there(self) -> bool:
        """Whether a start can use it."""
        return self.file.is_file()

    def options(self, *, keeps: bool) -> tuple[str, ...]:
        """Java's options for a start that uses the archive; if there is none, for one that `keeps` it as the draft."""
        if self.is_there:
            with contextlib.suppress(OSError):  # a cache that others own
                os.utime(self.file)
            return (f"-XX:SharedArchiveFile={self.file}", *QUIET)
        return (f"-XX:ArchiveClassesAtExit={self.draft}", *QUIET) if keeps else ()

    def end_at_exit(self, *, keeps: bool) -> None:
        """When this process ends, end Spark; if it `keeps` the draft, wait until Java has written it."""
        atexit.register(self._end, keeps)

    def _end(self, keeps: bool) -> None:
        gateway = SparkContext._gateway
        if gateway is None:
            return
        java: subprocess.Popen[bytes] = gateway.proc
        if context := SparkContext._active_spark_context:
            context.stop()
        if keeps:
            print(NOTICE, file=sys.stderr, flush=True)
            _wait_for_end(java)
        else:  # it would write the draft all the same
            java.kill()
        if keeps and self.draft.is_file():
            self.draft.replace(self.file)
            delete_unused(self.file.parent)


def archive(cache_dir: Path, java_home: Path, jars: tuple[Path, ...]) -> Archive | None:
    """The archive for a Java and for Spark with these jars; None where the cache cannot be written.

    A jar that was written anew asks for another archive.
    """
    folder = cache_dir / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    name = hashlib.sha256("\n".join(_what_it_holds(java_home, jars)).encode()).hexdigest()[:16]
    return Archive(folder / f"{name}{SUFFIX}", folder / f"{DRAFT}{name}.{os.getpid()}{SUFFIX}")


def _what_it_holds(java_home: Path, jars: tuple[Path, ...]) -> Iterator[str]:
    release = java_home / "release"
    yield release.read_text() if release.is_file() else str(java_home)
    own = sorted((Path(_find_spark_home()) / "jars").glob("*.jar"))
    for jar in (*jars, *own):
        status = jar.stat()
        yield f"{jar} {status.st_size} {status.st_mtime_ns}"


def _wait_for_end(java: subprocess.Popen[bytes]) -> None:
    """PySpark's Java ends when its input does."""
    assert java.stdin is not None
    java.stdin.close()
    try:
        java.wait(KEEP_SECONDS)
    except subprocess.TimeoutExpired:
        java.kill()


def delete_unused(folder: Path) -> None:
    """Delete the archives that nobody used for long, and what killed runs left of theirs."""
    for each in folder.iterdir():
        most = KEEP_SECONDS if each.name.startswith(DRAFT) else UNUSED_DAYS * 86_400
        if time.time() - each.stat().st_mtime > most:
            each.unlink(missing_ok=True)

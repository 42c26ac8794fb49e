"""The engines' files: fetched into the cache as the lock lists them, and found there again.

The cache holds ``maven/`` (laid out as a Maven repository), ``unpacked/`` (one folder an archive) and ``stamps/`` (one
file an engine, which says that its files were verified and have not been touched since).
"""

import fcntl
import hashlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from questlog.errors import SetupError
from questlog.stack.lockfile import ENGINES_LOCK, Artifact, pick


def fetch(
    cache_dir: Path,
    engines: Iterable[str] | None = None,
    *,
    lock: Path = ENGINES_LOCK,
    repositories: Sequence[str] | None = None,
) -> None:
    """Put the files of the engines (all, unless named) into the cache, verified and unpacked.

    When they are there it does nothing, in a few milliseconds. A transfer that broke off goes on where it stopped.
    `repositories` are the addresses of Maven repositories; left out, jgo says them. Two processes may do this at once:
    the second waits for the first.

    Raises:
        SetupError: an engine is unknown, a file cannot be had or is damaged.
    """
    wanted = pick(lock, engines)
    if not _unstamped(cache_dir, wanted):
        return
    # Imported here: HTTP and jgo take half a second to load, and are not needed when all is there.
    from questlog.stack.download import Downloader, default_repositories  # noqa: PLC0415

    with _locked(cache_dir):
        todo = _unstamped(cache_dir, wanted)
        if todo:
            downloader = Downloader(cache_dir / "maven", repositories or default_repositories())
            downloader.fetch(artifact for artifacts in todo.values() for artifact in artifacts)
        for engine, artifacts in todo.items():
            for artifact in filter(lambda artifact: artifact.is_archive, artifacts):
                _unpack(cache_dir, engine, artifact)
            _stamp_file(cache_dir, engine).write_text(_stamp(cache_dir, engine, artifacts))


def classpath(cache_dir: Path, engine: str, *, lock: Path = ENGINES_LOCK) -> list[Path]:
    """The engine's jars that the lock lists, in the lock's order; those within its archive are under `unpacked`.

    Raises:
        SetupError: the engine is unknown, or a jar is not in the cache.
    """
    jars = [_file(cache_dir, artifact) for artifact in pick(lock, [engine])[engine] if not artifact.is_archive]
    missing = [jar for jar in jars if not jar.exists()]
    if missing:
        raise SetupError(
            f"{len(missing)} of {len(jars)} jars of {engine} are not in {cache_dir}, {missing[0].name} for one: "
            "run scripts/setup."
        )
    return jars


def unpacked(cache_dir: Path, engine: str, *, lock: Path = ENGINES_LOCK) -> Path:
    """The folder that holds what was in the engine's archive.

    Raises:
        SetupError: the engine is unknown or has no archive, or the folder is not in the cache.
    """
    archives = [artifact for artifact in pick(lock, [engine])[engine] if artifact.is_archive]
    if not archives:
        raise SetupError(f"{engine} has no archive in {lock.name}, only jars: ask for its class path.")
    folder = _folder(cache_dir, engine, archives[0])
    if not folder.is_dir():
        raise SetupError(f"{engine} is not unpacked in {cache_dir}: run scripts/setup.")
    return folder


def _file(cache_dir: Path, artifact: Artifact) -> Path:
    return cache_dir / "maven" / artifact.path


def _folder(cache_dir: Path, engine: str, archive: Artifact) -> Path:
    return cache_dir / "unpacked" / f"{engine}-{archive.sha256[:12]}"


def _stamp_file(cache_dir: Path, engine: str) -> Path:
    return cache_dir / "stamps" / engine


def _stamp(cache_dir: Path, engine: str, artifacts: Iterable[Artifact]) -> str:
    """A hash of the engine's part of the lock, and of when each file was last written; "" when a file is missing."""
    lines = []
    for artifact in artifacts:
        file = _file(cache_dir, artifact)
        if not file.exists() or (artifact.is_archive and not _folder(cache_dir, engine, artifact).is_dir()):
            return ""
        status = file.stat()
        lines.append(f"{artifact.coordinate} {artifact.sha256} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _unstamped(cache_dir: Path, wanted: dict[str, tuple[Artifact, ...]]) -> dict[str, tuple[Artifact, ...]]:
    def stamped(engine: str, artifacts: tuple[Artifact, ...]) -> bool:
        file = _stamp_file(cache_dir, engine)
        return file.exists() and file.read_text() == _stamp(cache_dir, engine, artifacts) != ""

    return {engine: artifacts for engine, artifacts in wanted.items() if not stamped(engine, artifacts)}


@contextmanager
def _locked(cache_dir: Path) -> Iterator[None]:
    """One fetch at a time: the operating system gives the lock back when its holder dies."""
    (cache_dir / "stamps").mkdir(parents=True, exist_ok=True)
    with (cache_dir / "fetch.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _unpack(cache_dir: Path, engine: str, archive: Artifact) -> None:
    """Unpack into a folder of its own, without the one top folder that most archives have."""
    folder = _folder(cache_dir, engine, archive)
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpacking-") as scratch:
        content = Path(scratch) / "content"
        _extract(_file(cache_dir, archive), content)
        entries = list(content.iterdir())
        (entries[0] if len(entries) == 1 and entries[0].is_dir() else content).rename(folder)


def _extract(archive: Path, folder: Path) -> None:
    if archive.suffix == ".zip" or not hasattr(tarfile, "data_filter"):  # Debian 12's Python is older than the filter
        shutil.unpack_archive(archive, folder)
    else:
        shutil.unpack_archive(archive, folder, filter="data")

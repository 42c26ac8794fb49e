"""The engines' lock: every Maven artifact of each engine, with its checksum and size, in one TOML file.

A table is an engine, a key is a coordinate ``group:artifact:version[:packaging[:classifier]]``.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from questlog.errors import SetupError
from questlog.paths import LOCKS

ENGINES_LOCK = LOCKS / "engines.toml"


@dataclass(frozen=True, order=True)
class Artifact:
    """One file of a Maven repository; `size` is in bytes."""

    coordinate: str
    sha256: str
    size: int

    @property
    def path(self) -> Path:
        """Where the file lies under a repository, and likewise under the cache's `maven` folder."""
        parts = self.coordinate.split(":")
        group, name, version, packaging, classifier = [*parts, *("jar", "")[len(parts) - 3 :]]
        suffix = f"-{classifier}" if classifier else ""
        return Path(*group.split("."), name, version, f"{name}-{version}{suffix}.{packaging}")

    @property
    def is_archive(self) -> bool:
        """Whether the file is to be unpacked, and is no jar for a class path."""
        return not self.path.name.endswith(".jar")


def read_lock(lock: Path = ENGINES_LOCK) -> dict[str, tuple[Artifact, ...]]:
    """The artifacts of each engine.

    Raises:
        SetupError: the file is missing, or is not such a lock.
    """
    try:
        tables = tomllib.loads(lock.read_text())
        return {
            engine: tuple(Artifact(coordinate, pin["sha256"], pin["size"]) for coordinate, pin in pins.items())
            for engine, pins in tables.items()
        }
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise SetupError(f"{lock} cannot be read as a lock of engines ({error!r}): restore it from git.") from error


def pick(lock: Path, engines: Iterable[str] | None) -> dict[str, tuple[Artifact, ...]]:
    """The artifacts of the engines named, or of all.

    Raises:
        SetupError: an engine is not in the lock.
    """
    known = read_lock(lock)
    names = list(known) if engines is None else list(engines)
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise SetupError(f"{lock.name} has no engine {unknown[0]!r}; it has {', '.join(known)}.")
    return {name: known[name] for name in names}


def write_lock(lock: Path, engines: Mapping[str, Iterable[Artifact]]) -> None:
    """Write the lock, sorted, so that a change shows as the lines that changed."""
    lines = ["# Every artifact of each engine. Written by scripts/lock: change it there, in questlog/stack/lock.py."]
    for engine, artifacts in sorted(engines.items()):
        lines += ["", f"[{engine}]"]
        lines += [f'"{a.coordinate}" = {{ sha256 = "{a.sha256}", size = {a.size} }}' for a in sorted(artifacts)]
    lock.write_text("\n".join(lines) + "\n")

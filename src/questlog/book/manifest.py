"""The account of an edition: what its chapters ran with, when, on which versions, how long, and what was counted."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from pydantic import BaseModel, ConfigDict, ValidationError

from questlog.book.arguments import Value
from questlog.errors import BookError
from questlog.paths import ROOT
from questlog.stack.lockfile import read_lock

FILE = "manifest.json"
SHOWN_DIGITS = 7  # of a commit's name
ARTIFACTS = {
    "Kafka": "kafka_2.13",
    "HDFS": "hadoop-hdfs",
    "Hive metastore": "hive-standalone-metastore",
    "Presto": "presto-main",
}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChapterRecord(_Record):
    """One chapter: the values of its `parameters`, how many `cells` of code ran, in how many `seconds`."""

    parameters: dict[str, Value]
    cells: int
    seconds: float


class Manifest(_Record):
    """The account of one edition.

    `date` is when the run began, in UTC; `commit` the full name of the checkout's commit, "" without git, and `changed`
    whether the checkout held changes beside it. `engines` has the versions that ``locks/engines.toml`` pins,
    `libraries` those that are installed. `counts` are the ledger's totals, in events.
    """

    edition: str
    date: datetime
    commit: str
    changed: bool
    engines: dict[str, str]
    libraries: dict[str, str]
    counts: dict[str, int] = {}
    chapters: dict[str, ChapterRecord] = {}

    @property
    def parameters(self) -> dict[str, tuple[Value, ...]]:
        """Each parameter of the chapters with its values: more than one when chapters ran with different ones."""
        found: dict[str, tuple[Value, ...]] = {}
        for chapter in self.chapters.values():
            for name, value in chapter.parameters.items():
                found[name] = tuple(dict.fromkeys((*found.get(name, ()), value)))
        return found

    @property
    def seconds(self) -> float:
        """What the chapters took together."""
        return sum(chapter.seconds for chapter in self.chapters.values())

    @property
    def source(self) -> str:
        """The commit, short, with a plus sign when the checkout held changes beside it; "" without git."""
        return self.commit[:SHOWN_DIGITS] + ("+" if self.changed else "")

    def with_chapter(self, name: str, record: ChapterRecord) -> Manifest:
        """The same account with this chapter's record in place of an older one."""
        return self.model_copy(update={"chapters": {**self.chapters, name: record}})

    def with_counts(self, counts: Mapping[str, int]) -> Manifest:
        """The same account with these counts."""
        return self.model_copy(update={"counts": dict(counts)})


def begin(edition: str, before: Manifest | None = None, root: Path = ROOT) -> Manifest:
    """The account of a run that begins now; chapters and counts of the one `before` stay until they are replaced."""
    commit = _git(root, "rev-parse", "HEAD")
    return Manifest(
        edition=edition,
        date=datetime.now(UTC).replace(microsecond=0),
        commit=commit,
        changed=bool(commit and _git(root, "status", "--porcelain", "--untracked-files=no")),
        engines=_engines(),
        libraries=_libraries(),
        counts=before.counts if before else {},
        chapters=before.chapters if before else {},
    )


def read(folder: Path) -> Manifest | None:
    """The manifest in a folder of chapters; None where there is none.

    Raises:
        BookError: the file is no such manifest.
    """
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, problem["loc"])) or "the file"
        raise BookError(f"{file} is no manifest: {where}: {problem['msg']}. Run the edition again.") from error


def write(manifest: Manifest, folder: Path) -> None:
    """Write it into a folder of chapters, whole or not at all."""
    unfinished = folder / f"{FILE}.unfinished"
    unfinished.write_text(manifest.model_dump_json(indent=1) + "\n")
    unfinished.replace(folder / FILE)


def _engines() -> dict[str, str]:
    pinned = (artifact.coordinate.split(":") for engine in read_lock().values() for artifact in engine)
    versions = {name: version for _, name, version, *_ in pinned}
    return {**{engine: versions[name] for engine, name in ARTIFACTS.items()}, "Spark": metadata.version("pyspark")}


def _libraries() -> dict[str, str]:
    wanted = (Requirement(line) for line in metadata.requires("questlog") or ())
    return {one.name: metadata.version(one.name) for one in wanted if one.marker is None}


def _git(root: Path, *arguments: str) -> str:
    try:
        asked = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # no git on this machine
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""

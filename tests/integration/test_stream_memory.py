"""What a stream remembers over a restart is used, and not trusted blindly; nothing is known that did not land."""

import json
from collections.abc import Callable

import kafka_shaped as shaped
import pytest

from questlog import pipeline
from questlog.catalog import files
from questlog.settings import Settings
from questlog.stream import memory
from questlog.stream.job import Summary
from questlog.transport.producer import Publisher

Send = Callable[..., None]
LATER = 4_000_000_000_000  # milliseconds since 1970: in the year 2096


@pytest.fixture
def send(publisher: Publisher) -> Send:
    return lambda *ids: publisher.publish([shaped.purchase(event_id) for event_id in ids])


class Kept:
    """The files of the memory, which a test may damage."""

    def __init__(self, settings: Settings) -> None:
        self.hdfs = files.filesystem(settings)
        self.root = memory.folder(settings)

    def paths(self, suffix: str = "") -> list[str]:
        found = self.hdfs.find(self.root) if self.hdfs.exists(self.root) else []
        return [path for path in found if path.endswith(suffix)]

    def says(self) -> dict[str, object]:
        [path] = self.paths(".json")
        told: dict[str, object] = json.loads(self.hdfs.cat_file(path))
        return told

    def write(self, path: str, content: bytes) -> None:
        self.hdfs.pipe_file(path, content)

    def alter(self, **told: object) -> None:
        [path] = self.paths(".json")
        self.write(path, json.dumps({**self.says(), **told}).encode())

    def tear(self) -> None:
        [path] = self.paths(".json")
        self.write(path, self.hdfs.cat_file(path)[:20])

    def lose_a_run(self) -> None:
        self.hdfs.rm(self.paths(".parquet")[0])

    def lose_all(self) -> None:
        self.hdfs.rm(self.root, recursive=True)


def counts(summary: Summary) -> tuple[int, int]:
    return summary.landed, summary.repeated


DAMAGES: dict[str, Callable[[Kept], None]] = {
    "none": lambda kept: None,
    "all is lost": Kept.lose_all,
    "a file of entries is lost": Kept.lose_a_run,
    "what it says is torn": Kept.tear,
    "it says something else": lambda kept: kept.alter(colour="red"),
    "it has fewer events than it says": lambda kept: kept.alter(events=3),
    "it is by another rule": lambda kept: kept.alter(rule="another", runs=[], events=0),
    "it does not reach back far enough": lambda kept: kept.alter(since=LATER, runs=[], events=0),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_landed_is_known_to_the_next_run_whatever_became_of_its_memory(
    fresh: Settings, send: Send, damage: str
) -> None:
    send("a", "b")
    pipeline.stream(fresh)
    assert Kept(fresh).says()["events"] == 2
    DAMAGES[damage](Kept(fresh))

    send("b", "c")

    assert counts(pipeline.stream(fresh)) == (1, 1)
    assert Kept(fresh).says()["events"] == 3
    assert pipeline.ledger(fresh).balances


def test_what_landed_after_the_memory_was_written_is_known(fresh: Settings, send: Send) -> None:
    send("a")
    pipeline.stream(fresh)
    kept = Kept(fresh)
    before = {path: kept.hdfs.cat_file(path) for path in kept.paths()}
    send("b")
    pipeline.stream(fresh)
    kept.lose_all()
    for path, content in before.items():
        kept.write(path, content)

    send("a", "b", "c")

    assert counts(pipeline.stream(fresh)) == (1, 2)


def test_the_files_of_what_is_remembered_are_not_read_again(fresh: Settings, send: Send) -> None:
    send("a")
    pipeline.stream(fresh)
    [file] = [path for path in Kept(fresh).hdfs.find(fresh.table_path("events")) if path.endswith(".parquet")]
    Kept(fresh).write(file, b"no parquet")  # is written now
    Kept(fresh).alter(written_until=LATER)

    send("a", "b")

    assert counts(pipeline.stream(fresh)) == (1, 1)


def test_of_many_batches_one_account_and_the_files_that_it_names_are_kept(
    fresh: Settings, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "KEEP_SECONDS", 0.0)
    for number in range(12):
        send(f"event-{number}")
    pipeline.stream(fresh, max_offsets=1)

    kept = Kept(fresh)
    names = {path.rsplit("/", 1)[1] for path in kept.paths(".parquet")}
    assert kept.says()["events"] == 12
    assert names == set(kept.says()["runs"])
    assert 1 <= len(names) <= 4


def test_who_makes_a_table_anew_has_nothing_remembered(fresh: Settings, send: Send) -> None:
    send("a")
    pipeline.stream(fresh)
    pipeline.replay(fresh, "events", dry_run=True)
    assert Kept(fresh).paths() != []

    pipeline.replay(fresh, "events")
    assert Kept(fresh).paths() == []

    send("a", "b")
    assert counts(pipeline.stream(fresh)) == (1, 1)

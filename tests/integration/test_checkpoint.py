"""The stream and its checkpoint: what is damaged is mended where that is safe, and refused where it is not."""

import signal
import subprocess
import sys
from collections.abc import Callable

import kafka_shaped as shaped
import pytest

from questlog import pipeline
from questlog.errors import SettingsError, StreamRefused
from questlog.lake.hdfs import Hdfs
from questlog.pipeline import streaming
from questlog.settings import Settings
from questlog.transport import topics
from questlog.transport.producer import Publisher

Send = Callable[..., None]


@pytest.fixture
def send(publisher: Publisher) -> Send:
    return lambda *names: publisher.publish([shaped.purchase(name) for name in names])


@pytest.fixture
def hdfs(fresh: Settings) -> Hdfs:
    return Hdfs(fresh)


@pytest.fixture
def landed(fresh: Settings, send: Send) -> Settings:
    """A stream that has landed two batches and ended."""
    for name in "ab":
        send(name)
        pipeline.stream(fresh)
    return fresh


def cut_in_half(hdfs: Hdfs, path: str) -> None:
    content = hdfs.read(path)
    hdfs.write(path, content[: len(content) // 2])


def contents(hdfs: Hdfs, folder: str) -> dict[str, bytes]:
    """The files below a folder, each by its path in it."""
    found: dict[str, bytes] = {}
    for entry in hdfs.entries(folder):
        if entry.is_folder:
            found |= {f"{entry.name}/{path}": content for path, content in contents(hdfs, entry.path).items()}
        else:
            found[entry.name] = hdfs.read(entry.path)
    return found


def put_back(hdfs: Hdfs, folder: str, files: dict[str, bytes]) -> None:
    """Put the files below the folder, and nothing else."""
    hdfs.delete(folder)
    for path, content in files.items():
        hdfs.write(f"{folder}/{path}", content)


def ids(settings: Settings) -> list[str]:
    return list(pipeline.sql(settings, "SELECT event_id FROM events ORDER BY event_id")["event_id"])


def balances(settings: Settings) -> bool:
    return pipeline.ledger(settings).balances


def killed_at(settings: Settings, point: str) -> None:
    """Run the stream in a process of its own, until it is killed there."""
    command = [sys.executable, "-m", "questlog", "stream", "--available-now"]
    doomed = settings.in_namespace(settings.namespace, fault_point=point)
    done = subprocess.run(command, env=doomed.environment(), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("point", ["begun:2", "written:2"])
def test_damaged_offsets_of_a_batch_of_which_nothing_is_prepared_are_planned_anew(
    landed: Settings, send: Send, hdfs: Hdfs, point: str
) -> None:
    send("c")
    killed_at(landed, point)
    cut_in_half(hdfs, f"{landed.checkpoint}/offsets/2")

    pipeline.stream(landed)

    assert ids(landed) == ["a", "b", "c"]
    assert balances(landed)


def test_damaged_offsets_of_a_batch_that_was_prepared_are_refused(landed: Settings, send: Send, hdfs: Hdfs) -> None:
    send("c")
    killed_at(landed, "prepared:2")
    whole = hdfs.read(f"{landed.checkpoint}/offsets/2")
    cut_in_half(hdfs, f"{landed.checkpoint}/offsets/2")

    with pytest.raises(StreamRefused, match=r"offsets/2 is damaged .* batch 2 have landed.*questlog reset"):
        pipeline.stream(landed)
    assert ids(landed) == ["a", "b", "c"]  # what was prepared is final

    hdfs.write(f"{landed.checkpoint}/offsets/2", whole)
    pipeline.stream(landed)
    assert ids(landed) == ["a", "b", "c"]


@pytest.mark.parametrize("file", ["offsets/1", "metadata"])
def test_a_damaged_file_that_cannot_be_had_again_is_refused_by_name(landed: Settings, hdfs: Hdfs, file: str) -> None:
    hdfs.write(f"{landed.checkpoint}/{file}", b"garbage")

    with pytest.raises(StreamRefused, match=rf"{landed.checkpoint}/{file} is damaged"):
        pipeline.stream(landed)


def test_a_damaged_commit_is_dropped_and_its_batch_changes_nothing(landed: Settings, send: Send, hdfs: Hdfs) -> None:
    cut_in_half(hdfs, f"{landed.checkpoint}/commits/1")
    send("c")

    assert pipeline.stream(landed).landed == 1
    assert ids(landed) == ["a", "b", "c"]


def test_an_older_copy_of_the_checkpoint_is_refused(landed: Settings, send: Send, hdfs: Hdfs) -> None:
    older = contents(hdfs, landed.checkpoint)
    send("c")
    pipeline.stream(landed)
    put_back(hdfs, landed.checkpoint, older)

    with pytest.raises(StreamRefused, match=r"offsets ends with batch 1, but table batches has batch 2"):
        pipeline.stream(landed)


def test_commits_without_their_offsets_are_refused(landed: Settings, hdfs: Hdfs) -> None:
    hdfs.delete(f"{landed.checkpoint}/offsets/1")

    with pytest.raises(StreamRefused, match=r"offsets ends with batch 0, but \S+/commits has batch 1"):
        pipeline.stream(landed)


def test_a_batch_whose_beginning_is_gone_is_refused(landed: Settings, hdfs: Hdfs) -> None:
    hdfs.delete(f"{landed.checkpoint}/commits/1")
    hdfs.delete(f"{landed.checkpoint}/offsets/0")

    with pytest.raises(StreamRefused, match=r"offsets/0 is missing"):
        pipeline.stream(landed)


def test_a_checkpoint_without_its_metadata_is_refused(landed: Settings, hdfs: Hdfs) -> None:
    hdfs.delete(f"{landed.checkpoint}/metadata")

    with pytest.raises(StreamRefused, match=r"metadata is gone, while offsets are there"):
        pipeline.stream(landed)


def test_a_checkpoint_of_another_stream_is_refused(landed: Settings, hdfs: Hdfs) -> None:
    other = landed.in_namespace(f"{landed.namespace}_other")
    topics.create_topic(other)
    try:
        put_back(hdfs, other.checkpoint, contents(hdfs, landed.checkpoint))
        with pytest.raises(StreamRefused, match=r"has no audit of it, but none at all.*not of one stream"):
            pipeline.stream(other)
        put_back(hdfs, other.checkpoint, contents(hdfs, landed.checkpoint))
        hdfs.delete(f"{other.checkpoint}/commits")
        with pytest.raises(StreamRefused, match=rf"offsets of topic {landed.topic}, the settings say {other.topic}"):
            pipeline.stream(other)
    finally:
        pipeline.reset(other)


def test_a_checkpoint_that_does_not_know_the_tables_is_refused(landed: Settings, hdfs: Hdfs) -> None:
    text = hdfs.read(f"{landed.checkpoint}/metadata").decode()
    hdfs.write(f"{landed.checkpoint}/metadata", b'{"id":"00000000-0000-4000-8000-000000000000"}')

    with pytest.raises(StreamRefused, match=r"is that of stream 00000000, but .* those of \w{8}"):
        pipeline.stream(landed)

    hdfs.write(f"{landed.checkpoint}/metadata", text.encode())
    assert pipeline.stream(landed).landed == 0


def test_a_topic_that_was_made_anew_is_refused(landed: Settings) -> None:
    topics.delete_topic(landed)
    topics.create_topic(landed)

    with pytest.raises(StreamRefused, match=r"offsets/1 says 2 of partition \d, which ends at 0 .* made anew"):
        pipeline.stream(landed)


def test_what_nobody_can_do_is_refused_before_spark_starts(fresh: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "session", None)
    faulty = fresh.in_namespace(fresh.namespace, fault_point="praperde")

    with pytest.raises(SettingsError, match="fault_point is 'praperde'"):
        pipeline.stream(faulty)
    with pytest.raises(SettingsError, match="purchase_boat"):
        pipeline.stream(fresh, event_types=["purchase_boat"])

"""A rehearsal stages what is newest in the topic, and nobody can tell afterwards."""

import logging

import kafka_shaped as shaped
import pytest

from questlog import pipeline
from questlog.catalog import files
from questlog.settings import Settings
from questlog.stream import rehearsal
from questlog.stream.staging import Staging
from questlog.transport.producer import Publisher


def test_a_rehearsal_before_the_first_batch_lands_nothing_and_leaves_nothing(
    fresh: Settings, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged: list[int] = []
    write = Staging.write

    def counted(self: Staging, *given: object, **more: object) -> object:
        done = write(self, *given, **more)  # type: ignore[arg-type]
        staged.append(done.account.num_rows)
        return done

    monkeypatch.setattr(Staging, "write", counted)
    pipeline.create(fresh)
    publisher.publish([*shaped.examples(), shaped.record(b"no event")])

    pipeline.rehearse(fresh)

    hdfs = files.filesystem(fresh)
    assert sum(staged) > 0
    assert not hdfs.exists(fresh.checkpoint)
    assert hdfs.find(fresh.warehouse) == []
    assert hdfs.find(f"{fresh.staging}/{rehearsal.FOLDER}") == []
    assert pipeline.stream(fresh).rejected == 1
    assert pipeline.ledger(fresh).balances


def test_a_rehearsal_that_fails_is_logged_and_the_stream_begins_without_it(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = settings.in_namespace("test_no_such_topic")

    with caplog.at_level(logging.WARNING):
        pipeline.rehearse(nowhere)

    assert "the stream was not rehearsed" in caplog.text

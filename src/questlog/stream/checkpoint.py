"""The checkpoint, looked at before the first batch: is it whole, and does it belong to this topic and these tables?

Spark keeps in it ``metadata`` (the query's id), ``offsets/N`` (where batch N ends in the topic, written before the
batch runs) and ``commits/N`` (written after it). It trusts them: with files of another stream, of another topic or of
another day it would skip records, or land them twice, without a word. What is found, and what is done:

=====================================================  ================================================================
found                                                  done
=====================================================  ================================================================
no checkpoint, tables with files                       refused: the whole topic would land once more
``metadata`` or a file that is needed is damaged       refused
``offsets/N`` (the newest) damaged, N neither          deleted: nothing of batch N is to be seen, nothing of it has
committed, nor audited                                 landed; Spark plans it again, and lands each record once
``offsets/N`` damaged otherwise                        refused: a new batch N would have other records under its name
``commits/N`` (the newest) damaged                     deleted: the batch runs again, and landing sees that it is done
``commits`` or tables newer than ``offsets``           refused: records between the two would be skipped
audits of other streams alone, or of none              refused: tables and checkpoint are not of one stream
offsets of another topic, beyond the topic's end, or   refused: the topic is not the one that was read, or Kafka has
before its first record                                deleted what had not landed
=====================================================  ================================================================

Source: https://spark.apache.org/docs/latest/streaming/apis-on-dataframes-and-datasets.html (recovering from failures)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from questlog.errors import StreamRefused
from questlog.lake import layout
from questlog.lake.hdfs import Hdfs
from questlog.settings import BATCHES_TABLE, DEAD_LETTERS_TABLE, EVENTS_TABLE, Settings

VERSION = "v1"
STREAM_CHARACTERS = 8
IDENTITY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
START_OVER = "or start over with `questlog reset`"

Offsets = Mapping[int, int]
"""An offset for each partition of the topic."""
Locations = Mapping[tuple[str, str], str]
"""The location of each partition, by table and partition."""
Bounds = Callable[[], tuple[Offsets, Offsets]]
"""Gives the first offset of each of the topic's partitions, and the one after the last."""


def stream_name(query_id: str) -> str:
    """The stream's short name, as the names of its files have it: the start of the query's id."""
    return query_id[:STREAM_CHARACTERS]


def read_offsets(content: bytes) -> dict[str, dict[int, int]]:
    """Where a batch ends, by topic and partition, as ``offsets/N`` says it.

    Raises:
        ValueError: it is no such file, or a part of one.
    """
    version, _, *sources = content.decode().splitlines()
    if version != VERSION or len(sources) != 1:
        raise ValueError(
            f"its version is {version!r}, and it has {len(sources)} sources: {VERSION!r} and 1 are allowed"
        )
    topics = {topic: _object(of) for topic, of in _object(json.loads(sources[0])).items()}
    return {topic: {int(number): int(offset) for number, offset in of.items()} for topic, of in topics.items()}


def read_commit(content: bytes) -> dict[str, Any]:
    """What ``commits/N`` says.

    Raises:
        ValueError: it is no such file, or a part of one.
    """
    version, *told = content.decode().splitlines()
    if version != VERSION or len(told) != 1:
        raise ValueError(
            f"its version is {version!r}, and it has {len(told)} lines more: {VERSION!r} and 1 are allowed"
        )
    return _object(json.loads(told[0]))


def _object(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ValueError(f"{given!r} where an object has to be")
    return given


def admit(hdfs: Hdfs, settings: Settings, locations: Locations, bounds: Bounds) -> None:
    """Make sure that the stream may go on from its checkpoint, or begin without one; mends what can be mended.

    What was prepared has to be published before (`Writer.recover`). `locations` are those of all partitions.

    Raises:
        StreamRefused: it may not; names the file, says why and what to do.
        LakeError: HDFS refused.
    """
    stream = stream_of(hdfs, settings)
    if stream is None:
        _refuse_second_landing(hdfs, settings, locations)
        return
    found = _Found(hdfs, settings, locations[BATCHES_TABLE, layout.WHOLE], stream)
    found.refuse_other_tables()
    found.drop_damaged_commit()
    found.drop_damaged_offsets()
    found.refuse_gaps()
    found.refuse_other_topic(bounds)


def committed(hdfs: Hdfs, settings: Settings) -> Offsets:
    """Where the stream has landed all of the topic up to, and nothing beyond.

    Raises:
        StreamRefused: it was cut within a micro-batch, has committed none, or its offsets are damaged or not of the
            topic.
        LakeError: HDFS refused.
    """
    planned, done = (_numbers(hdfs, f"{settings.checkpoint}/{log}")[-1:] for log in ("offsets", "commits"))
    if not done or planned != done:
        raise StreamRefused(
            f"the newest micro-batch in {settings.checkpoint} is {planned or 'none'}, the newest committed "
            f"{done or 'none'}: let the stream finish what it has begun, with `questlog stream --available-now`."
        )
    return _offsets_of_topic(hdfs, settings, done[0])


def _offsets_of_topic(hdfs: Hdfs, settings: Settings, batch: int) -> Offsets:
    path = f"{settings.checkpoint}/offsets/{batch}"
    try:
        found = read_offsets(hdfs.read(path))
    except ValueError as error:
        raise StreamRefused(f"{path} is damaged: {error}. Put it back, {START_OVER}.") from error
    if set(found) != {settings.topic}:
        raise StreamRefused(
            f"{path} has offsets of topic {', '.join(found) or '(none)'}, the settings say {settings.topic}: "
            f"the checkpoint is that of another stream. Put the own one back, {START_OVER}."
        )
    return found[settings.topic]


def _refuse_second_landing(hdfs: Hdfs, settings: Settings, locations: Locations) -> None:
    """A stream without a checkpoint has to meet empty tables: it would land the whole topic once more."""
    if _numbers(hdfs, f"{settings.checkpoint}/offsets"):
        raise StreamRefused(
            f"{settings.checkpoint}/metadata is gone, while offsets are there: with another id the stream would not "
            f"know its own files. Put it back, {START_OVER}."
        )
    for (table, _), folder in locations.items():
        if table in (EVENTS_TABLE, DEAD_LETTERS_TABLE, BATCHES_TABLE) and hdfs.files(folder):
            raise StreamRefused(
                f"{folder} holds files, but the checkpoint {settings.checkpoint} is gone: every "
                f"event of the topic would land a second time. Put it back, {START_OVER}."
            )


def stream_of(hdfs: Hdfs, settings: Settings) -> str | None:
    """The short name of the stream whose checkpoint it is; None if there is none.

    Raises:
        StreamRefused: it is damaged.
        LakeError: HDFS refused.
    """
    path = f"{settings.checkpoint}/metadata"
    if not hdfs.exists(path):
        return None
    content = hdfs.read(path)
    try:
        query = str(json.loads(content)["id"])
        if IDENTITY.fullmatch(query):
            return stream_name(query)
    except (ValueError, KeyError, TypeError):
        pass
    raise StreamRefused(f"{path} is damaged: it has no query id, but {content[:80]!r}. Put it back, {START_OVER}.")


def _numbers(hdfs: Hdfs, folder: str) -> list[int]:
    """The batches of which a log has a file, in order."""
    return sorted(int(entry.name) for entry in hdfs.entries(folder) if entry.name.isdecimal())


@dataclass
class _Found:
    """What there is of one stream: its logs, and its audit files in the folder `audits`."""

    hdfs: Hdfs
    settings: Settings
    audits: str
    stream: str

    def __post_init__(self) -> None:
        self.offsets = _numbers(self.hdfs, self._log("offsets"))
        self.commits = _numbers(self.hdfs, self._log("commits"))
        names = [layout.AUDIT_FILE.fullmatch(entry.name) for entry in self.hdfs.files(self.audits)]
        audited = [(name["stream"], int(name["batch"])) for name in names if name]
        self.streams = {stream for stream, _ in audited}
        self.audited = max((batch for stream, batch in audited if stream == self.stream), default=-1)

    def drop_damaged_commit(self) -> None:
        """Of the newest commit nothing depends on its being there."""
        if self.commits and self._damage("commits", self.commits[-1], read_commit):
            self.hdfs.delete(self._log("commits", self.commits.pop()))

    def drop_damaged_offsets(self) -> None:
        """Of the newest offsets nothing depends on their being there, as long as their batch has no audit."""
        if not self.offsets:
            return
        newest = self.offsets[-1]
        if not (damage := self._damage("offsets", newest, read_offsets)):
            return
        if newest <= max(self.audited, *self.commits, -1):
            raise StreamRefused(
                f"{self._log('offsets', newest)} is damaged ({damage}), and files of batch {newest} have landed: "
                f"planned again, the batch would have other records. Put the file back, {START_OVER}."
            )
        self.hdfs.delete(self._log("offsets", self.offsets.pop()))

    def refuse_gaps(self) -> None:
        """Offsets have to reach as far as everything else, and those before a batch that is to run have to be there."""
        newest, committed = (numbers[-1] if numbers else -1 for numbers in (self.offsets, self.commits))
        for what, batch in ((self._log("commits"), committed), (f"table {BATCHES_TABLE}", self.audited)):
            if batch > newest:
                raise StreamRefused(
                    f"{self._log('offsets')} ends with batch {newest}, but {what} has batch {batch}: the checkpoint is "
                    "older than what has landed, and records would be skipped or landed twice. Put back the files "
                    f"that are missing, {START_OVER}."
                )
        if newest > max(committed, 0) and newest - 1 not in self.offsets:
            raise StreamRefused(
                f"{self._log('offsets', newest - 1)} is missing: nobody knows where batch {newest}, which is to run, "
                f"begins. Put it back, {START_OVER}."
            )

    def refuse_other_tables(self) -> None:
        """Table ``batches`` has to know this stream, as soon as the stream has committed anything or others have."""
        if self.stream in self.streams or not (self.commits or self.streams):
            return
        others = f"those of {', '.join(sorted(self.streams))}" if self.streams else "none at all"
        raise StreamRefused(
            f"{self.settings.checkpoint}/metadata is that of stream {self.stream}, but "
            f"{self.audits} has no audit of it, but {others}: checkpoint and tables are "
            f"not of one stream. Put the checkpoint of these tables back, {START_OVER}."
        )

    def refuse_other_topic(self, bounds: Bounds) -> None:
        """Where the stream goes on has to be within the topic."""
        if not self.offsets:
            return
        newest = self.offsets[-1]
        begin = newest if newest in self.commits else newest - 1
        end = _offsets_of_topic(self.hdfs, self.settings, newest)
        start = _offsets_of_topic(self.hdfs, self.settings, begin) if begin in self.offsets else {}
        first, last = bounds()
        self._refuse_beyond(newest, end, last)
        self._refuse_deleted(begin, start, first)

    def _refuse_beyond(self, batch: int, end: Offsets, last: Offsets) -> None:
        for number, offset in end.items():
            if offset > last.get(number, -1):
                there = f"ends at {last[number]}" if number in last else "does not exist"
                raise StreamRefused(
                    f"{self._log('offsets', batch)} says {offset} of partition {number}, which {there} in topic "
                    f"{self.settings.topic}: the topic was made anew, and its records would be skipped. Point the "
                    f"settings at the topic that was read, {START_OVER}."
                )

    def _refuse_deleted(self, batch: int, start: Offsets, first: Offsets) -> None:
        for number, offset in start.items():
            if offset < first[number]:
                raise StreamRefused(
                    f"{self._log('offsets', batch)} says {offset} of partition {number}, whose first record in topic "
                    f"{self.settings.topic} is {first[number]}: Kafka has deleted {first[number] - offset} records "
                    f"that had not landed. Keep records longer (retention.ms), {START_OVER}."
                )

    def _damage(self, log: str, batch: int, read: Callable[[bytes], object]) -> str:
        """What is wrong with a file of a log; empty if nothing is."""
        try:
            read(self.hdfs.read(self._log(log, batch)))
        except ValueError as error:
            return str(error)
        return ""

    def _log(self, log: str, batch: int | None = None) -> str:
        return f"{self.settings.checkpoint}/{log}" + ("" if batch is None else f"/{batch}")

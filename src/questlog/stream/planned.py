"""How large a micro-batch is before anything of it was read: its checkpoint says where it begins and ends."""

from __future__ import annotations

from questlog.settings import Settings
from questlog.stream import checkpoint
from questlog.stream.files import Files


def most_records(files: Files, settings: Settings, batch: int) -> int:
    """The records of a micro-batch that Spark has planned; of the first one, which tells no beginning, at most so many.

    Raises:
        StreamError: HDFS refused, or the offsets that Spark has just written are not there.
    """
    ends = _ends(files, settings, batch)
    begins = _ends(files, settings, batch - 1) if batch else {}
    return sum(end - begins.get(number, 0) for number, end in ends.items())


def _ends(files: Files, settings: Settings, batch: int) -> checkpoint.Offsets:
    found = checkpoint.read_offsets(files.read(f"{settings.checkpoint}/offsets/{batch}"))
    return found[settings.topic]

"""How large a micro-batch is before anything of it was read: its checkpoint says where it begins and ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from questlog.settings import Settings
from questlog.stream import checkpoint
from questlog.stream.files import Files


@dataclass
class Planned:
    """What Spark has planned, in the order of the batches: where one ends, the next begins, and is not read again."""

    files: Files
    settings: Settings
    _ends: dict[int, checkpoint.Offsets] = field(default_factory=dict)

    def most_records(self, batch: int) -> int:
        """The records of a planned micro-batch; of the first one, which tells no beginning, at most so many.

        Raises:
            StreamError: HDFS refused, or the offsets that Spark has just written are not there.
        """
        begins = (self._ends.get(batch - 1) or self._read(batch - 1)) if batch else {}
        ends = self._read(batch)
        self._ends = {batch: ends}
        return sum(end - begins.get(number, 0) for number, end in ends.items())

    def _read(self, batch: int) -> checkpoint.Offsets:
        found = checkpoint.read_offsets(self.files.read(f"{self.settings.checkpoint}/offsets/{batch}"))
        return found[self.settings.topic]

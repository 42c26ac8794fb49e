"""How many records a micro-batch has, before any is read: the checkpoint's offset log says where it begins and ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from questlog.lake.hdfs import Hdfs
from questlog.settings import Settings
from questlog.stream.checkpoint import Offsets, read_offsets


@dataclass
class PlannedBatches:
    """How many records Spark has planned for a micro-batch, asked in the batches' order.

    Where one ends, the next begins, and is not read again.
    """

    hdfs: Hdfs
    settings: Settings
    _ends: dict[int, Offsets] = field(default_factory=dict)

    def records(self, batch: int) -> int:
        """The records of a planned micro-batch; of the first one, which tells no beginning, at most so many.

        Raises:
            LakeError: HDFS refused, or the offsets that Spark has just written are not there.
        """
        begins = (self._ends.get(batch - 1) or self._read(batch - 1)) if batch else {}
        ends = self._read(batch)
        self._ends = {batch: ends}
        return sum(end - begins.get(number, 0) for number, end in ends.items())

    def _read(self, batch: int) -> Offsets:
        found = read_offsets(self.hdfs.read(f"{self.settings.checkpoint}/offsets/{batch}"))
        return found[self.settings.topic]

"""The faults: what each does, and how soon service has to be there again. The one list of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from questlog.errors import FaultError
from questlog.faults import acts, servers
from questlog.faults.line import Line
from questlog.faults.scene import Scene
from questlog.stream.faults import POINTS

ANSWERED, SEEN = "acknowledged", "seen in Presto"
"""What recovery is measured by, in people's words: an event begun after the fault is taken; one received after it is in
Presto."""

AT_ONCE = (2, 4)  # faults, at least and at most


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault.

    Args:
        name: as `--only` takes it.
        does: what happens, for people.
        bound: seconds within which service has to be there again.
        inject: does it, and returns once it is over; recovery counts from there.
        measured: `ANSWERED` or `SEEN`.
        may_reset: whether requests may be cut off in their middle.
        needs_line: whether the API has to reach Kafka over a line that can be cut.
        needs_standby: whether the stream is to have its standby before: it has one for most of its life.
        needs_mount: whether a small disk has to be mounted, which takes Linux's superuser.
        mixes: whether it may be one of several at once.
    """

    name: str
    does: str
    bound: float
    inject: Callable[[Scene], object]
    measured: str = SEEN
    may_reset: bool = True
    needs_line: bool = False
    needs_standby: bool = False
    needs_mount: bool = False
    mixes: bool = False


def _several(scene: Scene) -> None:
    chosen = scene.dice.sample([fault for fault in FAULTS if fault.mixes], scene.dice.randint(*AT_ONCE))
    with ThreadPoolExecutor(len(chosen)) as pool:
        for done in [pool.submit(fault.inject, scene) for fault in chosen]:
            done.result()


def _of_point(point: str, left: str) -> Fault:
    return Fault(
        name=f"driver_killed_{point}",
        does=f"kill -9 of Spark's driver when {left}",
        bound=30,
        needs_standby=True,
        inject=partial(acts.kill_the_driver_at, point),
    )


FAULTS = (
    Fault(
        name="api_worker_killed",
        does="kill -9 of one of the API's worker processes",
        bound=5,
        measured=ANSWERED,
        mixes=True,
        inject=lambda scene: servers.kill_a_child(scene.stack, scene.api),
    ),
    Fault(
        name="api_killed",
        does="kill -9 of the API server, whose workers end with it",
        bound=10,
        measured=ANSWERED,
        mixes=True,
        inject=lambda scene: servers.kill(scene.stack, scene.api),
    ),
    Fault(
        name="api_terminated",
        does="SIGTERM of the API server: it answers what it has begun",
        bound=10,
        measured=ANSWERED,
        may_reset=False,
        inject=lambda scene: servers.terminate(scene.stack, scene.api),
    ),
    Fault(
        name="kafka_killed",
        does="kill -9 of Kafka",
        bound=30,
        measured=ANSWERED,
        mixes=True,
        inject=acts.kill("kafka"),
    ),
    Fault(
        name="kafka_stopped",
        does=f"SIGSTOP of Kafka, SIGCONT after {acts.STOPPED:g} s",
        bound=10,
        measured=ANSWERED,
        inject=lambda scene: servers.suspend(scene.stack, "kafka", acts.STOPPED),
    ),
    Fault(
        name="line_cut",
        does=f"nothing passes between API and Kafka for {acts.CUT:g} s",
        bound=10,
        measured=ANSWERED,
        needs_line=True,
        inject=acts.line(Line.cut, acts.CUT),
    ),
    Fault(
        name="line_delayed",
        does=f"what passes between API and Kafka comes {acts.LATE:g} s late, for {acts.LATE_FOR:g} s",
        bound=10,
        measured=ANSWERED,
        needs_line=True,
        inject=acts.line(Line.delay, acts.LATE, acts.LATE_FOR),
    ),
    Fault(
        name="line_reset",
        does=f"{acts.RESETS} connections between API and Kafka are reset in the middle of an answer",
        bound=10,
        measured=ANSWERED,
        needs_line=True,
        inject=acts.line(Line.reset, acts.RESETS),
    ),
    *(_of_point(point, left) for point, left in POINTS.items()),
    Fault(
        name="driver_killed",
        does="kill -9 of Spark's driver at a random moment",
        bound=30,
        needs_standby=True,
        mixes=True,
        inject=partial(acts.kill_at_random, lambda scene: scene.stream.driver()),
    ),
    Fault(
        name="driver_paused",
        does="SIGSTOP of Spark's driver past its writer lease, then SIGCONT: its standby has taken over",
        bound=30,
        needs_standby=True,
        inject=acts.pause_the_driver,
    ),
    Fault(
        name="jvm_killed",
        does="kill -9 of Spark's JVM, below its driver, at a random moment",
        bound=30,
        needs_standby=True,
        inject=partial(acts.kill_at_random, lambda scene: scene.stream.jvm()),
    ),
    Fault(
        name="commit_deleted",
        does="the newest entry of Spark's commit log is gone when the stream starts",
        bound=30,
        inject=acts.without_the_last_commit,
    ),
    Fault(
        name="offsets_truncated",
        does="the newest file of Spark's offset log is cut in half when the stream starts: a refusal, or mended",
        bound=30,
        inject=acts.with_truncated_offsets,
    ),
    Fault(
        name="checkpoint_foreign",
        does="another stream's checkpoint lies in the place of this one's when it starts: a refusal",
        bound=30,
        inject=acts.with_another_checkpoint,
    ),
    Fault(
        name="datanode_killed",
        does="kill -9 of the DataNode in the middle of a block",
        bound=60,
        mixes=True,
        inject=acts.kill_the_datanode,
    ),
    Fault(
        name="namenode_killed",
        does="kill -9 of the NameNode in the middle of a batch",
        bound=90,
        mixes=True,
        inject=acts.kill_the_namenode,
    ),
    Fault(
        name="metastore_killed",
        does="kill -9 of the Hive metastore while partitions are added",
        bound=45,
        mixes=True,
        inject=acts.kill_the_metastore,
    ),
    Fault(
        name="presto_killed",
        does="kill -9 of Presto while it is asked",
        bound=45,
        mixes=True,
        inject=acts.kill("presto"),
    ),
    Fault(
        name="kafka_disk_full",
        does=f"Kafka's disk is full for {acts.FULL:g} s",
        bound=60,
        needs_mount=True,
        inject=partial(acts.full_disk, "kafka"),
    ),
    Fault(
        name="datanode_disk_full",
        does=f"the DataNode's disk is full for {acts.FULL:g} s",
        bound=60,
        needs_mount=True,
        inject=partial(acts.full_disk, "datanode"),
    ),
    Fault(
        name="checkpoint_full",
        does=f"the checkpoint's quota in HDFS is used up for {acts.FULL:g} s",
        bound=60,
        inject=acts.full_checkpoint,
    ),
    Fault(
        name="several",
        does=f"{AT_ONCE[0]} to {AT_ONCE[1]} of the kills at once, at random",
        bound=120,
        needs_standby=True,
        inject=_several,
    ),
)


def named(names: Sequence[str]) -> tuple[Fault, ...]:
    """The faults of these names, in the order of `FAULTS`; all of them for none.

    Raises:
        FaultError: there is no fault of such a name.
    """
    known = [fault.name for fault in FAULTS]
    if unknown := sorted(set(names) - set(known)):
        raise FaultError(f"there is no fault {unknown[0]!r}; there are {', '.join(known)}")
    return tuple(fault for fault in FAULTS if not names or fault.name in names)

"""What each fault does to a scene. A function returns once its fault is over: recovery counts from there."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from questlog import pipeline
from questlog.errors import FaultError
from questlog.faults import disks, servers, streams
from questlog.faults.checkpoint import Checkpoint
from questlog.faults.scene import Scene
from questlog.lake import layout
from questlog.lake.hdfs import Hdfs

STOPPED = 20.0  # seconds for which Kafka stands still
CUT, LATE, LATE_FOR, RESETS = 8.0, 0.25, 8.0, 5  # seconds, seconds of delay, seconds, answers
LEASES = 2.5  # times the lease lasts, for which the driver stands still
FULL = 10.0  # seconds for which a disk is full
DIES = 300.0  # seconds until an armed point is passed, the start of a Spark included
REFUSES = 60.0  # seconds in which a stream that will not start has said so
RIGHT_MOMENT = 30.0  # seconds for which the right moment for a fault is waited for
AT_RANDOM = 2.0  # seconds within which a moment is drawn


def kill(name: str) -> Callable[[Scene], None]:
    """Kills a server of the stack with -9."""
    return lambda scene: servers.kill(scene.stack, name)


def kill_the_metastore(scene: Scene) -> None:
    """While the stream has new partitions to add."""
    if scene.client:
        scene.client.days += 3
    servers.kill(scene.stack, "metastore")


def kill_the_datanode(scene: Scene) -> None:
    """While it is writing a block."""
    blocks = scene.stack.data_dir / "datanode"
    _await(lambda: next(blocks.glob("current/*/current/rbw/*.meta"), None))
    servers.kill(scene.stack, "datanode")


def kill_the_namenode(scene: Scene) -> None:
    """While a batch is written to staging."""
    hdfs = Hdfs(scene.settings)
    _await(lambda: hdfs.entries(layout.attempts(scene.settings)))
    servers.kill(scene.stack, "namenode")


def kill_the_driver_at(point: str, scene: Scene) -> None:
    """Have the stream's driver killed with -9 when a batch passes one of `questlog.stream.faults.POINTS`."""
    scene.stream.arm(point)
    servers.wait_for(lambda: not scene.stream.is_armed(), f"a batch that passes {point!r}", DIES)


def kill_at_random(of: Callable[[Scene], psutil.Process], scene: Scene) -> None:
    """Kill a process of the scene's stream with -9, within `AT_RANDOM` seconds."""
    process = of(scene)
    psutil.wait_procs([process], timeout=scene.dice.uniform(0, AT_RANDOM))
    process.kill()


def pause_the_driver(scene: Scene) -> None:
    """Have the stream's driver stand still past its writer lease, and go on: it may publish nothing then."""
    process = scene.stream.driver()
    process.suspend()
    try:
        time.sleep(LEASES * scene.settings.lease_seconds)
    finally:
        process.resume()


def line(what: Callable[..., object], *given: float) -> Callable[[Scene], None]:
    """Does one of the things that a `Line` can do."""

    def inject(scene: Scene) -> None:
        if scene.line is None:
            raise FaultError("this scene has no line that can be cut")
        what(scene.line, *given)

    return inject


def without_the_last_commit(scene: Scene) -> None:
    """Stop the stream, delete what its checkpoint says last, start it."""
    scene.stream.stop()
    Checkpoint(scene.settings).delete_last_commit()
    scene.stream.start()


def with_truncated_offsets(scene: Scene) -> None:
    """Stop the stream, damage its checkpoint, start it, and put right what it refuses."""
    scene.stream.stop()
    with Checkpoint(scene.settings).truncated_offsets() as path:
        _refused_or_mended(scene, path)
    scene.stream.start()


def with_another_checkpoint(scene: Scene) -> None:
    """Stop the stream, start it on the checkpoint of another one, and put right what it refuses."""
    other = scene.settings.in_namespace(f"{scene.settings.namespace}_b", fault_point="")
    pipeline.create(other)
    scene.later.callback(pipeline.reset, other)
    streams.stream_once(other)
    scene.stream.stop()
    with Checkpoint(scene.settings).replaced_by(other) as path:
        _refused_or_mended(scene, path)
    scene.stream.start()


def _await(moment: Callable[[], object]) -> None:
    """Wait for the right moment, though not for ever: the stream may be away itself."""
    with suppress(FaultError, OSError):
        servers.wait_for(moment, "the right moment", RIGHT_MOMENT)


def _refused_or_mended(scene: Scene, path: str) -> None:
    """The stream either says what is wrong with which file, or goes on."""
    begun = time.time()
    said = scene.stream.refusal(REFUSES, until=lambda: scene.witness.looks[-1].newest > begun)
    if said and not any(place in said for place in (path, scene.settings.checkpoint)):
        scene.complaints.append(f"the stream ended, but did not name {path}: {said}")


def full_checkpoint(scene: Scene) -> None:
    """Have HDFS refuse every write to the checkpoint for `FULL` seconds."""
    with disks.quota(scene.settings, scene.settings.checkpoint):
        time.sleep(FULL)


def full_disk(name: str, scene: Scene) -> None:
    """Put a server's folder on a disk of its own, and leave no room there for `FULL` seconds."""
    disk = scene.later.enter_context(disks.small(scene.stack, name, scene.stack.data_dir / name))
    disk.fill_for(FULL)

"""Spark's scratch folders: each process has its own, and what a killed one left is removed by the next."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from questlog.stream import scratch

CLAIM = (
    "import sys; from pathlib import Path; from questlog.stream import scratch; print(scratch.claim(Path(sys.argv[1])))"
)


def test_two_claims_are_two_folders_and_neither_is_taken_for_one_that_was_left(tmp_path: Path) -> None:
    one, other = scratch.claim(tmp_path / "scratch"), scratch.claim(tmp_path / "scratch")

    assert one != other
    assert one.is_dir()
    assert other.is_dir()


def test_what_a_killed_process_left_is_removed_by_the_next_claim(tmp_path: Path) -> None:
    killed = subprocess.Popen(
        [sys.executable, "-c", f"{CLAIM}; sys.stdout.flush(); sys.stdin.read()", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with killed:
        assert killed.stdout
        left = Path(killed.stdout.readline().strip())
        (left / "blockmgr").mkdir()
        (left / "blockmgr" / "shuffle").write_text("bytes")

        assert scratch.claim(tmp_path).is_dir()
        assert left.is_dir()
        killed.kill()

    scratch.claim(tmp_path)
    assert not left.exists()


def test_what_nobody_ever_held_is_removed(tmp_path: Path) -> None:
    (tmp_path / "spark-1" / "files").mkdir(parents=True)

    scratch.claim(tmp_path)

    assert not (tmp_path / "spark-1").exists()

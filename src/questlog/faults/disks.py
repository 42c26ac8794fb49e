"""Disks that are full: a quota in HDFS, and a small tmpfs in the place of a server's folder."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from questlog.errors import FaultError
from questlog.faults.servers import wait_for
from questlog.settings import Settings
from questlog.stack import local
from questlog.stack.supervise import Supervisor

ROOMY = "4g"  # of a tmpfs: HDFS wants some blocks' room before it begins a file; only what is used takes memory
NO_QUOTA, KEPT = -1, 2**63 - 1  # HDFS's own numbers for "none", and for "as it is"
TRIES = 50
READY = 60.0  # seconds until a server on another disk is ready


@contextmanager
def quota(settings: Settings, folder: str, space: int = 1) -> Iterator[None]:
    """While the block runs, no file below a folder of HDFS may take another block: its disk is full.

    Raises:
        FaultError: HDFS refused.
    """
    _set_quota(settings, folder, space)
    try:
        yield
    finally:
        _set_quota(settings, folder, NO_QUOTA)


class Disk:
    """A tmpfs that holds a server's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def fill_for(self, seconds: float) -> None:
        """Leave no room for so long.

        Raises:
            FaultError: the system refused.
        """
        for _ in range(TRIES):  # its server goes on writing meanwhile
            used = shutil.disk_usage(self._folder).used
            if not _mount("-o", f"remount,size={used}", str(self._folder)):
                break
        else:
            raise FaultError(f"{self._folder} could not be made as small as what it holds")
        time.sleep(seconds)
        _mount("-o", f"remount,size={ROOMY}", str(self._folder))


@contextmanager
def small(settings: Settings, server: str, folder: Path) -> Iterator[Disk]:
    """While the block runs, a server's folder lies on a disk of its own; the server is started anew before and after.

    Raises:
        FaultError: this system or user may not mount.
    """
    aside = folder.with_name(f"{folder.name}-aside")
    try:
        with _stopped(settings, server):
            _onto_a_disk(folder, aside)
        yield Disk(folder)
    finally:
        if folder.is_mount():
            with _stopped(settings, server):
                shutil.rmtree(aside)
                shutil.copytree(folder, aside)
                _off_the_disk(folder, aside)


def _onto_a_disk(folder: Path, aside: Path) -> None:
    """All of it or, refused or interrupted, nothing."""
    folder.rename(aside)
    folder.mkdir()
    if refused := _mount("-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", str(folder)):
        folder.rmdir()
        aside.rename(folder)
        raise FaultError(f"a small disk cannot be mounted here: {refused}")
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
    except BaseException:
        _off_the_disk(folder, aside)
        raise


def _off_the_disk(folder: Path, aside: Path) -> None:
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()
    aside.rename(folder)


@contextmanager
def _stopped(settings: Settings, server: str) -> Iterator[None]:
    supervisor = Supervisor(settings)
    try:
        supervisor.stop([server])
        yield
    finally:
        wait_for(lambda: not supervisor.program(server).pid, f"{server} to stop")  # interrupted, `stop` has not waited
        supervisor.start(server)
        ready = next(each.ready for each in local.services(settings) if each.name == server)
        wait_for(ready, f"{server} on another disk", READY)


def _mount(*arguments: str) -> str:
    """Why it was refused; nothing when it was done."""
    try:
        done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        return str(error)
    return done.stderr.strip() or ("" if done.returncode == 0 else f"exit code {done.returncode}")


def _set_quota(settings: Settings, folder: str, space: int) -> None:
    asked: dict[str, str | int] = {
        "op": "SETQUOTA",
        "namespacequota": KEPT,
        "storagespacequota": space,
        "user.name": settings.hdfs_user,
    }
    with requests.Session() as session:
        session.trust_env = False
        answer = session.put(f"{settings.webhdfs_url}/webhdfs/v1{folder}", params=asked, timeout=READY)
    if not answer.ok:
        raise FaultError(f"HDFS refused a quota of {space} for {folder}: {answer.text[:200]}")

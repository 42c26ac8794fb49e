"""One stack for the whole session, beside any other on this machine, and a namespace of its own for each test.

Only a test that asks for `settings` or `fresh` starts servers; one that asks for `html` builds the site. With the
variable `GIVEN_STACK` set, a stack that runs already, the one that the environment's settings point to, is used
instead, and left running.
"""

import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from filelock import FileLock

from questlog.paths import ROOT
from questlog.settings import Settings
from questlog.stack import local, ports

if TYPE_CHECKING:
    from questlog.transport.producer import Publisher

# A shell's background job ignores SIGINT, and so does a Python started there: tests of Ctrl-C would wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long a case takes says more of the machine than of the code.
hypothesis.settings.register_profile("questlog", deadline=None)
hypothesis.settings.load_profile("questlog")

OFFSETS = range(2000, 20000, 20)  # below the ports that the system gives to outgoing connections


LEASE_SECONDS = 2  # many a test kills a writer, and the next one waits so long


def place_beside_others(data_dir: Path) -> Settings:
    """Settings whose ports are free; two sessions at once begin to look at different places."""
    begin = os.getpid() % len(OFFSETS)
    for offset in (*OFFSETS[begin:], *OFFSETS[:begin]):
        settings = Settings.load(data_dir=data_dir, port_offset=offset, lease_seconds=LEASE_SECONDS)
        if not ports.taken(settings.host, local.services(settings, streams=2)):
            return settings
    raise AssertionError("no free ports on this machine")


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running stack, started from nothing unless one is given."""
    if os.environ.get("GIVEN_STACK"):
        given = Settings.load()
        local.up(given)  # what a test has killed is there again
        yield given
        return
    with local.running(place_beside_others(tmp_path_factory.mktemp("stack") / "data"), wipe=True) as running:
        yield running


@pytest.fixture
def fresh(settings: Settings) -> Iterator[Settings]:
    """A namespace of the running stack, with its topic; all of it is gone after the test."""
    from questlog.transport import topics

    here = settings.in_namespace(f"test_{uuid.uuid4().hex[:12]}")
    topics.create_topic(here)
    yield here
    remove(here)


@pytest.fixture
def publisher(fresh: Settings) -> Iterator["Publisher"]:
    """A patient one, for tests of what arrives, not of how soon: on a busy machine an answer may take its time."""
    from questlog.transport.producer import Publisher

    made = Publisher(fresh.in_namespace(fresh.namespace, ack_timeout=20))
    yield made
    made.close()


def tracked_files() -> list[Path]:
    """What a clone would hold: the files that git knows, and those that are new and not ignored."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [Path(name) for name in names.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The site, built from a copy of the files that a clone holds: once for all processes of `pytest -n`."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent
    told = shared / "site"
    with FileLock(shared / "site.lock"):
        if not told.exists():
            told.write_text(str(build(shared / "clone")))
    return Path(told.read_text())


def build(clone: Path) -> Path:
    """Where the site of what a clone holds is."""
    for file in tracked_files():
        (clone / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, clone / file)
    from questlog.book import site

    return site.build(clone).parent


def remove(settings: Settings) -> None:
    """Remove what a test left; a test without tables does not wait for Presto."""
    from questlog import pipeline
    from questlog.lake.hdfs import Hdfs
    from questlog.transport import topics

    hdfs = Hdfs(settings)
    if hdfs.exists(settings.warehouse):
        pipeline.reset(settings)
    topics.delete_topic(settings)
    for path in (settings.staging, settings.checkpoint):
        hdfs.delete(path)

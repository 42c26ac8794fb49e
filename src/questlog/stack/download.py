"""Downloads from Maven repositories: side by side, resumed where they broke off, checked, put in place at once."""

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from pathlib import Path

import requests
from jgo.config import GlobalSettings
from jgo.maven import MavenContext
from requests.adapters import HTTPAdapter
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from urllib3.util import Retry

from questlog.errors import SetupError
from questlog.stack.lockfile import Artifact

WORKERS = 8
BREAKS = 5  # times that one file's transfer may break off before it is given up
CHUNK = 1 << 16
TIMEOUT = (10, 60)  # seconds to connect, seconds without a byte

Advance = Callable[[int], None]


def default_repositories() -> list[str]:
    """The Maven repositories that jgo knows: Maven Central, and those of the user's jgo configuration (a mirror)."""
    known: dict[str, str] = {**MavenContext().remote_repos, **GlobalSettings.load().repositories}
    return [url.rstrip("/") for url in known.values()]


def new_session() -> requests.Session:
    """A session that is patient with an overloaded repository, and shares its connections among threads."""
    session = requests.Session()
    retry = Retry(total=3, backoff_factor=0.3, status_forcelist=(429, 500, 502, 503, 504))
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_maxsize=WORKERS, max_retries=retry))
    session.headers["Accept-Encoding"] = "identity"  # offsets and sizes count the bytes as stored
    return session


def file_sha256(path: Path) -> str:
    """The checksum of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Downloader:
    """Puts artifacts into a folder laid out as a Maven repository."""

    def __init__(self, folder: Path, repositories: Sequence[str]) -> None:
        self._folder = folder
        self._repositories = repositories
        self._session = new_session()
        self._stop = threading.Event()

    def fetch(self, artifacts: Iterable[Artifact]) -> None:
        """Fetch what is not there yet, side by side, under one progress bar of bytes.

        Raises:
            SetupError: a file cannot be had, or is damaged still after a second download.
        """
        todo = sorted(set(artifacts), key=lambda artifact: -artifact.size)  # the longest first: no straggler
        with self._session, _progress() as progress, ThreadPoolExecutor(WORKERS) as pool:
            task = progress.add_task("fetching the engines", total=sum(artifact.size for artifact in todo))
            jobs = [pool.submit(self._ensure, artifact, lambda n: progress.advance(task, n)) for artifact in todo]
            try:
                for job in as_completed(jobs):
                    job.result()
            except BaseException:  # Ctrl-C too: the other transfers stop at their next chunk
                self._stop.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _ensure(self, artifact: Artifact, advance: Advance) -> None:
        """See that the artifact's file is there, verified: fetch it unless it is."""
        target = self._folder / artifact.path
        if target.exists():
            if file_sha256(target) == artifact.sha256:
                advance(artifact.size)
                return
            target.unlink()
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        for _ in range(2):
            self._complete(artifact, part, advance)
            found = file_sha256(part)
            if found == artifact.sha256:
                part.replace(target)
                return
            advance(-part.stat().st_size)
            part.unlink()
        raise SetupError(
            f"{artifact.coordinate} came damaged twice: its sha256 is {found}, the lock says {artifact.sha256}. "
            "It was deleted; see whether a proxy alters downloads, then run scripts/setup again."
        )

    def _complete(self, artifact: Artifact, part: Path, advance: Advance) -> None:
        """Download until `part` has the artifact's size, going on after each break where it stopped."""
        part.touch()
        advance(part.stat().st_size)
        problem: Exception | None = None
        for _ in range(BREAKS):
            if part.stat().st_size >= artifact.size:
                return
            try:
                self._transfer(artifact, part, advance)
            except requests.RequestException as error:
                problem = error
        if part.stat().st_size < artifact.size:
            raise SetupError(
                f"{artifact.coordinate} could not be fetched: {part.stat().st_size:,} of {artifact.size:,} bytes came "
                f"in {BREAKS} attempts ({problem or 'the server sent too little'}). What came is kept: "
                "see that this machine reaches its Maven repository, then run scripts/setup again."
            )

    def _transfer(self, artifact: Artifact, part: Path, advance: Advance) -> None:
        have = part.stat().st_size
        with self._open(artifact, have) as response, part.open("r+b") as file:
            if response.status_code != requests.codes.partial_content:  # the server does not do ranges: from the start
                advance(-have)
                file.truncate(0)
            file.seek(0, os.SEEK_END)
            for chunk in response.iter_content(CHUNK):
                if self._stop.is_set():
                    raise CancelledError
                if file.tell() > artifact.size:  # more than there is to come: damaged, as its checksum will show
                    return
                file.write(chunk)
                advance(len(chunk))

    def _open(self, artifact: Artifact, offset: int) -> requests.Response:
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        for repository in self._repositories:
            url = f"{repository}/{artifact.path.as_posix()}"
            response = self._session.get(url, headers=headers, stream=True, timeout=TIMEOUT)
            if response.status_code != requests.codes.not_found:
                response.raise_for_status()
                return response
            response.close()
        raise SetupError(f"{artifact.coordinate} is in none of the Maven repositories {', '.join(self._repositories)}.")


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    return Progress(*columns, TimeRemainingColumn())

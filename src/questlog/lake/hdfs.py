"""HDFS over WebHDFS, by the library HdfsCLI: the one client that the project uses.

`Settings.webhdfs_url` may name several NameNodes, separated by semicolons: the client asks the next one when the first
is away or on standby. A rename is atomic, and never replaces a file that is there.
Source: https://hadoop.apache.org/docs/r3.4.2/hadoop-project-dist/hadoop-hdfs/WebHDFS.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from hdfs import HdfsError, InsecureClient
from requests.adapters import HTTPAdapter

from questlog.errors import LakeError
from questlog.lake.layout import HIDDEN
from questlog.lake.retry import retried
from questlog.settings import Settings

THREADS = 8
"""Requests under way at once from `Hdfs.each`."""
CONNECT_SECONDS, READ_SECONDS = 5, 60
TEMPORARY = {"SafeModeException", "StandbyException", "RetriableException", "IOException"}
"""What a NameNode that starts, or one without a live DataNode, answers."""

In = TypeVar("In")
Out = TypeVar("Out")


class Gone(LakeError):
    """There is no such file or folder."""


@dataclass(frozen=True)
class Entry:
    """A file or folder: its path, its length in bytes, and when it was modified, in milliseconds since 1970."""

    path: str
    is_folder: bool
    bytes: int
    modified: int

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.rsplit("/", 1)[1]


class Hdfs:
    """The file system of `Settings.webhdfs_url`. Nothing is asked before the first use; threads may share it.

    Args:
        settings: where HDFS is, and as which user to ask.
        patience: seconds for which a request is repeated while HDFS is away or in safe mode.

    Raises:
        LakeError: from every method, when HDFS refuses or is not reachable.
    """

    def __init__(self, settings: Settings, patience: float = 0.0) -> None:
        self._url, self._user, self._patience = settings.webhdfs_url, settings.hdfs_user, patience
        session = requests.Session()
        session.trust_env = False  # a proxy of the environment is not for HDFS
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=2 * THREADS))
        self._client = InsecureClient(self._url, self._user, timeout=(CONNECT_SECONDS, READ_SECONDS), session=session)

    def entries(self, folder: str) -> list[Entry]:
        """What lies directly in a folder, by name; nothing when there is no such folder."""
        try:
            found = self._ask(folder, lambda: self._client.list(folder, status=True))
        except Gone:
            return []
        return [_entry(f"{folder}/{name}", status) for name, status in found]

    def files(self, folder: str) -> list[Entry]:
        """The files that lie directly in a folder, as Presto lists them: without hidden ones."""
        return [entry for entry in self.entries(folder) if not entry.is_folder and not entry.name.startswith(HIDDEN)]

    def files_below(self, folder: str) -> list[str]:
        """Paths of all files below a folder, at any depth, relative to it."""
        found, level = list[str](), [folder]
        while level:
            entries = [entry for each in level for entry in self.entries(each)]
            found += [entry.path.removeprefix(f"{folder}/") for entry in entries if not entry.is_folder]
            level = [entry.path for entry in entries if entry.is_folder]
        return found

    def folders(self, folder: str) -> list[str]:
        """Paths of the folders that lie directly in a folder, in order, without hidden ones."""
        return [entry.path for entry in self.entries(folder) if entry.is_folder and not entry.name.startswith(HIDDEN)]

    def status(self, path: str) -> Entry | None:
        """What is there; None if nothing is."""
        try:
            return _entry(path, self._ask(path, lambda: self._client.status(path)))
        except Gone:
            return None

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return self.status(path) is not None

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        """The bytes of a file, or a part of them.

        Raises:
            Gone: there is no such file.
        """

        def read() -> bytes:
            with self._client.read(path, offset=offset, length=length) as reader:
                content: bytes = reader.read()
            return content

        return bytes(self._ask(path, read))

    def write(self, path: str, content: bytes) -> None:
        """Write a file, with its folder; what was there is replaced. Readers may see it before it is whole."""
        self._ask(path, lambda: self._client.write(path, data=content, overwrite=True))

    def rename(self, source: str, target: str) -> None:
        """Give a file its new path in one step. The target's folder has to be there, the target must not.

        Raises:
            Gone: there is no such source, or no folder for the target.
            LakeError: also when the target is there already: both stay as they are.
        """
        try:
            self._ask(source, lambda: self._client.rename(source, target))
        except Gone:
            raise
        except LakeError as error:
            if not self.exists(source) or not self.exists(target.rsplit("/", 1)[0]):
                raise Gone(f"{source} cannot be renamed to {target}: one of the two folders is gone") from error
            raise

    def rename_folder(self, source: str, target: str) -> None:
        """Give a folder its new path in one step, as `rename` does for a file.

        Of two processes that rename the same source, one succeeds. HDFS moves a folder *into* a target that is there,
        so that is looked for before, and undone if another process has made the target in between.

        Raises:
            Gone: there is no such source, or no folder for the target.
            LakeError: also when the target is there already: both stay as they are.
        """
        nested = f"{target}/{source.rsplit('/', 1)[1]}"
        taken = self.exists(target)
        if not taken:
            self.rename(source, target)
            if taken := self.exists(nested):
                self.rename(nested, source)
        if taken:
            raise LakeError(f"{source} cannot be renamed to {target}, which is there already")

    def delete(self, path: str) -> bool:
        """Delete a file, or a folder with all that it holds; whether it was there."""
        return bool(self._ask(path, lambda: self._client.delete(path, recursive=True)))

    def make_folder(self, path: str) -> None:
        """Create a folder with all its parents; one that is there stays as it is."""
        self._ask(path, lambda: self._client.makedirs(path))

    def touch(self, path: str, modified: int) -> None:
        """Set when a file was modified, in milliseconds since 1970.

        Raises:
            Gone: there is no such file.
        """
        self._ask(path, lambda: self._client.set_times(path, modification_time=modified))

    def each(self, work: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
        """Do the same for all items, `THREADS` at a time; results in their order."""
        wanted = [*items]
        if len(wanted) < 2:
            return [work(item) for item in wanted]
        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(work, wanted))

    def _ask(self, path: str, question: Callable[[], Any]) -> Any:
        try:
            return retried(question, _is_temporary, self._patience)
        except HdfsError as error:
            raise self._refusal(path, error) from error
        except requests.RequestException as error:
            raise LakeError(
                f"WebHDFS does not answer at {self._url}: {type(error).__name__}. Start it with `questlog up`."
            ) from error

    def _refusal(self, path: str, error: HdfsError) -> LakeError:
        says = next(iter(str(error).splitlines()), "")
        if error.exception == "FileNotFoundException":
            return Gone(f"HDFS has no such path: {path}. Create the tables with `questlog catalog`.")
        if error.exception == "AccessControlException":
            return LakeError(f"HDFS refuses user {self._user!r}: {says} Set QUESTLOG_HDFS_USER to the owner.")
        return LakeError(f"HDFS at {self._url} refused {path}: {error.exception or ''} {says}")


def _entry(path: str, status: dict[str, Any]) -> Entry:
    return Entry(path, status["type"] == "DIRECTORY", int(status["length"]), int(status["modificationTime"]))


def _is_temporary(error: BaseException) -> bool:
    if isinstance(error, HdfsError):
        return error.exception in TEMPORARY
    return isinstance(error, (requests.ConnectionError, requests.Timeout))

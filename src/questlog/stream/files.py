"""HDFS through the Hadoop client of Spark's own JVM: what landing needs of a file system, and nothing else.

`rename` is FileContext's: atomic, and it never replaces what is there.
Source: https://hadoop.apache.org/docs/r3.4.2/api/org/apache/hadoop/fs/FileContext.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

from questlog.errors import StreamError

THREADS = 8
"""Renames under way at once: the NameNode writes those that wait to its journal together."""

PIECE = 4 * 2**20
"""Bytes that are given to the JVM at once: it holds them as text, and twice."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class Gone(StreamError):
    """A file or folder is not there: somebody has moved it, or its parent."""


class Files:
    """The file system at `url`. Paths are absolute, without a scheme.

    Raises:
        StreamError: from every method, when the file system refuses or is not reachable.
    """

    def __init__(self, spark: SparkSession, url: str) -> None:
        context: Any = spark.sparkContext
        self.url = url
        jvm, configuration = context._jvm, context._jsc.hadoopConfiguration()
        # Py4J looks a name up in every jar, at each of its dots: once is enough.
        hadoop, uri = jvm.org.apache.hadoop.fs, jvm.java.net.URI.create(url)
        self._path: Any = hadoop.Path
        self._io, self._spark_hadoop = (
            jvm.org.apache.commons.io.IOUtils,
            jvm.org.apache.spark.deploy.SparkHadoopUtil.get(),
        )
        self._no_options = context._gateway.new_array(hadoop.Options.Rename, 0)
        self._system = hadoop.FileSystem.get(uri, configuration)
        self._context = hadoop.FileContext.getFileContext(uri, configuration)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="questlog-files")

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return bool(self._ask(path, self._system.exists))

    def holds_files(self, path: str) -> bool:
        """Whether there is a file anywhere below a folder."""
        if not self.exists(path):
            return False
        return bool(self._ask(path, lambda folder: self._system.listFiles(folder, True).hasNext()))

    def modified(self, path: str) -> int:
        """When a file was written, by HDFS's clock: milliseconds since 1970. A rename leaves that as it is.

        Raises:
            Gone: there is no such file.
        """
        return int(self._ask(path, self._system.getFileStatus).getModificationTime())

    def matching(self, pattern: str) -> list[str]:
        """Paths that match a pattern of Hadoop's ``globStatus``."""
        found = self._ask(pattern, lambda glob: self._spark_hadoop.globPath(self._system, glob))
        # One text for all: each path would take some calls into the JVM. Our names have no comma.
        listed = found.mkString(",")
        return [path.removeprefix(self.url) for path in listed.split(",") if path]

    def rename(self, source: str, target: str, *, make_parent: bool = True) -> None:
        """Give a file or folder its new path, in one step that is done or not done; the parent folder is made first.

        Raises:
            Gone: there is no such source; or no parent folder, if it is not to be made.
            StreamError: also when the target is there already: it stays as it is.
        """
        path = self._path(source)
        if make_parent:
            self._ask(target, lambda to: self._system.mkdirs(to.getParent()))
        self._ask(target, lambda to: self._context.rename(path, to, self._no_options))

    def delete(self, path: str) -> bool:
        """Delete a file or a folder with all that it holds; whether it was there."""
        return bool(self._ask(path, lambda gone: self._system.delete(gone, True)))

    def write(self, path: str, content: bytes) -> None:
        """Write a new file; its folder is made."""
        stream = self._ask(path, lambda new: self._system.create(new, False))
        for begin in range(0, len(content), PIECE):
            stream.write(bytearray(content[begin : begin + PIECE]))
        self._ask(path, lambda _: stream.close())

    def write_whole(self, path: str, content: bytes) -> None:
        """Write a small new file that nobody sees a part of: hidden from Presto until it has its name."""
        folder, name = path.rsplit("/", 1)
        self.write(f"{folder}/.{name}", content)
        self.rename(f"{folder}/.{name}", path)

    def read(self, path: str) -> bytes:
        """The content of a small file.

        Raises:
            Gone: there is no such file.
        """
        stream = self._ask(path, self._system.open)
        try:
            return bytes(self._io.toByteArray(stream))
        finally:
            stream.close()

    def each(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Do the same for all items, `THREADS` at a time; results in their order."""
        return list(self._pool.map(work, items))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _ask(self, path: str, question: Callable[[Any], Any]) -> Any:
        try:
            return question(self._path(path))
        except Py4JJavaError as error:
            kind, says = error.java_exception.getClass().getSimpleName(), error.java_exception.getMessage()
            raised = Gone if kind == "FileNotFoundException" else StreamError
            raise raised(f"{self.url} refused {path}: {kind}: {str(says).splitlines()[0]}") from error

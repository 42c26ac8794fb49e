"""HDFS from Python, more of it: what the exchange of folders needs beside `questlog.catalog.files`.

Source: https://hadoop.apache.org/docs/r3.4.2/hadoop-project-dist/hadoop-hdfs/WebHDFS.html
"""

from __future__ import annotations

import uuid

from fsspec.implementations.webhdfs import WebHDFS

from questlog.catalog.files import delete, translated

ALREADY_THERE = "already exists"  # in what the NameNode says of a rename


def rename(files: WebHDFS, source: str, target: str) -> bool:
    """Give a file or folder another path, in one step; the parent folder has to be there.

    False, and nothing has changed, when there is no such source or the target is there already.

    Raises:
        CatalogError: when HDFS refuses for another reason or is not reachable.
    """
    with translated(files):
        try:
            files._call("RENAME", method="put", path=source, destination=target, renameoptions="NONE")
        except FileNotFoundError:
            return False
        except RuntimeError as error:
            if ALREADY_THERE not in str(error):
                raise
            return False
    return True


def copy(files: WebHDFS, source: str, target: str) -> None:
    """Copy a file; `target` is there whole or not at all, and is left alone when it is there already.

    Raises:
        CatalogError: when HDFS refuses or is not reachable.
    """
    folder, name = target.rsplit("/", 1)
    beside = f"{folder}/_{name}.{uuid.uuid4().hex[:8]}"
    write(files, beside, read(files, source))
    if not rename(files, beside, target):
        delete(files, beside)


def write(files: WebHDFS, path: str, content: bytes) -> None:
    """Write a file anew, in place of any that is there.

    Raises:
        CatalogError: when HDFS refuses or is not reachable.
    """
    with translated(files):
        there = files._call("CREATE", method="put", path=path, redirect=False, overwrite="true").headers["Location"]
        files.session.put(files._apply_proxy(there), data=content).raise_for_status()


def read(files: WebHDFS, path: str) -> bytes:
    """The content of a file: two requests, where fsspec's own reading asks for its length before.

    Raises:
        CatalogError: when there is none, or HDFS is not reachable.
    """
    with translated(files):
        content: bytes = files._call("OPEN", path=path).content
    return content

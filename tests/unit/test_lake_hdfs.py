"""The client of HDFS and that of the metastore: what they do when a server is away, on standby, or refuses."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from questlog.catalog import counts, partitions
from questlog.errors import LakeError
from questlog.lake import retry
from questlog.lake.hdfs import Entry, Gone, Hdfs
from questlog.lake.metastore import Metastore
from questlog.settings import Settings

FOLDER = "/warehouse/shop/events"


def nobody() -> str:
    """The address of a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def status(name: str, kind: str = "FILE", length: int = 0) -> dict[str, Any]:
    return {"pathSuffix": name, "type": kind, "length": length, "modificationTime": 7}


def listing(*found: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, {"FileStatuses": {"FileStatus": list(found)}}


def refusal(exception: str, message: str = "it says why", code: int = 403) -> tuple[int, dict[str, Any]]:
    return code, {"RemoteException": {"exception": exception, "message": message}}


TWO_FILES = listing(status("a.parquet"), status("b.parquet"))
NO_SUCH_FILE = refusal("FileNotFoundException", code=404)


@dataclass
class NameNode:
    """Answers each request with the next of `answers`, the last one again and again."""

    url: str
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def answer(self, address: str) -> tuple[int, bytes]:
        self.asked.append(parse_qs(urlsplit(address).query))
        code, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return code, json.dumps(body).encode()


@contextmanager
def running() -> Iterator[NameNode]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            code, body = made.answer(self.path)
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made = NameNode(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def namenodes() -> Iterator[list[NameNode]]:
    with ExitStack() as stack:
        yield [stack.enter_context(running()) for _ in range(2)]


def hdfs_of(*namenodes: NameNode, patience: float = 0.0) -> Hdfs:
    urls = ";".join(namenode.url for namenode in namenodes)
    return Hdfs(Settings.load(webhdfs_url=urls, hdfs_user="ann"), patience)


def test_a_client_is_made_without_a_request(namenodes: list[NameNode]) -> None:
    hdfs_of(*namenodes)

    assert [namenode.asked for namenode in namenodes] == [[], []]


@pytest.mark.parametrize("ask", [counts.landed_rows, counts.dead_letter_rows, partitions.missing])
def test_a_metastore_that_is_down_is_named_with_the_way_to_start_it(ask: Callable[[Settings], object]) -> None:
    settings = Settings.load(metastore_uri=f"thrift://{nobody()},thrift://{nobody()}")
    with pytest.raises(LakeError, match=f"{settings.metastore_uri}.*`questlog up`"):
        ask(settings)


@pytest.mark.parametrize("call", [Metastore.add, Metastore.switch])
def test_a_metastore_that_is_down_takes_no_change(call: Callable[[Metastore, str, dict[str, str]], None]) -> None:
    settings = Settings.load(metastore_uri=f"thrift://{nobody()}")
    with pytest.raises(LakeError, match=f"does not answer at {settings.metastore_uri}"):
        call(Metastore(settings), "events", {"event_date=2026-01-05": f"{FOLDER}/event_date=2026-01-05/v000001-000001"})


@pytest.mark.parametrize(
    "ask",
    [
        lambda hdfs: hdfs.entries(FOLDER),
        lambda hdfs: hdfs.status(FOLDER),
        lambda hdfs: hdfs.read(FOLDER),
        lambda hdfs: hdfs.write(FOLDER, b"x"),
        lambda hdfs: hdfs.rename(FOLDER, f"{FOLDER}-2"),
        lambda hdfs: hdfs.delete(FOLDER),
        lambda hdfs: hdfs.make_folder(FOLDER),
        lambda hdfs: hdfs.touch(FOLDER, 7),
    ],
    ids=["entries", "status", "read", "write", "rename", "delete", "make_folder", "touch"],
)
def test_webhdfs_that_is_down_is_named_with_the_way_to_start_it(ask: Callable[[Hdfs], object]) -> None:
    settings = Settings.load(webhdfs_url=f"http://{nobody()}")
    with pytest.raises(LakeError, match=f"WebHDFS does not answer at {settings.webhdfs_url}: .*`questlog up`"):
        ask(Hdfs(settings))


def test_the_next_namenode_is_asked_when_the_first_is_on_standby(namenodes: list[NameNode]) -> None:
    standby, active = namenodes
    standby.answers = [refusal("StandbyException")]
    active.answers = [TWO_FILES]

    assert [entry.name for entry in hdfs_of(standby, active).entries(FOLDER)] == ["a.parquet", "b.parquet"]
    assert (len(standby.asked), len(active.asked)) == (1, 1)


def test_the_next_namenode_is_asked_when_the_first_is_away(namenodes: list[NameNode]) -> None:
    active = namenodes[0]
    active.answers = [listing()]

    assert hdfs_of(NameNode(f"http://{nobody()}"), active).entries(FOLDER) == []


def test_every_request_names_the_user(namenodes: list[NameNode]) -> None:
    namenodes[0].answers = [listing()]

    hdfs_of(namenodes[0]).entries(FOLDER)

    assert namenodes[0].asked == [{"op": ["LISTSTATUS"], "user.name": ["ann"]}]


def test_what_has_no_path_is_empty_or_none_or_gone(namenodes: list[NameNode]) -> None:
    namenodes[0].answers = [NO_SUCH_FILE]
    hdfs = hdfs_of(namenodes[0])

    assert hdfs.entries(FOLDER) == hdfs.files(FOLDER) == hdfs.folders(FOLDER) == []
    assert hdfs.status(FOLDER) is None
    assert not hdfs.exists(FOLDER)
    with pytest.raises(Gone, match=f"no such path: {FOLDER}"):
        hdfs.read(FOLDER)


def test_files_and_folders_are_told_apart_and_hidden_ones_are_left_out(namenodes: list[NameNode]) -> None:
    names = ["_holder.json", ".hidden", "a.parquet"], ["_temporary", "event_date=2026-01-05", "event_date=2026-01-06"]
    files, folders = names
    namenodes[0].answers = [
        listing(*(status(name, length=3) for name in files), *(status(name, "DIRECTORY") for name in folders))
    ]
    hdfs = hdfs_of(namenodes[0])

    assert hdfs.files(FOLDER) == [Entry(f"{FOLDER}/a.parquet", False, 3, 7)]
    assert hdfs.folders(FOLDER) == [f"{FOLDER}/event_date=2026-01-05", f"{FOLDER}/event_date=2026-01-06"]
    assert [entry.name for entry in hdfs.entries(FOLDER)] == [*files, *folders]


@pytest.mark.parametrize("exception", ["SafeModeException", "StandbyException", "RetriableException", "IOException"])
def test_hdfs_that_starts_is_asked_again_for_as_long_as_the_client_is_patient(
    namenodes: list[NameNode], monkeypatch: pytest.MonkeyPatch, exception: str
) -> None:
    monkeypatch.setattr(retry, "PAUSE", 0.01)
    namenodes[0].answers = [refusal(exception), refusal(exception), TWO_FILES]

    assert [entry.name for entry in hdfs_of(namenodes[0], patience=60).entries(FOLDER)] == ["a.parquet", "b.parquet"]


def test_an_impatient_client_asks_once_and_says_what_hdfs_says(namenodes: list[NameNode]) -> None:
    namenodes[0].answers = [refusal("SafeModeException", "The reported blocks 0\nneeds more")]

    with pytest.raises(LakeError, match=f"refused {FOLDER}: SafeModeException The reported blocks 0$"):
        hdfs_of(namenodes[0]).entries(FOLDER)

    assert len(namenodes[0].asked) == 1


def test_a_refusal_that_will_not_pass_is_told_at_once_though_the_client_is_patient(namenodes: list[NameNode]) -> None:
    namenodes[0].answers = [refusal("AccessControlException", "Permission denied.")]

    with pytest.raises(LakeError, match=r"refuses user 'ann': Permission denied. Set QUESTLOG_HDFS_USER"):
        hdfs_of(namenodes[0], patience=60).entries(FOLDER)

    assert len(namenodes[0].asked) == 1


@pytest.mark.parametrize("count", [0, 1, 50])
def test_the_same_is_done_for_each_and_the_results_keep_the_order(count: int) -> None:
    hdfs = Hdfs(Settings.load())

    assert hdfs.each(lambda item: item * 2, range(count)) == [item * 2 for item in range(count)]

"""Fetching from a Maven repository that this file serves on the loopback, and that misbehaves as told."""

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from questlog.errors import SetupError
from questlog.stack.artifacts import classpath, fetch, unpacked
from questlog.stack.download import BREAKS, CHUNK
from questlog.stack.lockfile import Artifact, write_lock

BIG = bytes(range(256)) * 4096  # 1 MiB


class Repository(ThreadingHTTPServer):
    """Serves `files`; `break_off` and `damage` are used up by one request each."""

    request_queue_size = 64  # as many connections at once as the downloader likes

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.break_off: list[int] = []
        self.damage = 0
        self.ranges = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def add(self, coordinate: str, content: bytes) -> Artifact:
        artifact = Artifact(coordinate, hashlib.sha256(content).hexdigest(), len(content))
        self.files[f"/{artifact.path.as_posix()}"] = content
        return artifact


class Handler(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.asked.append((self.path, wanted))
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.server.ranges else 0
        if self.server.damage:
            self.server.damage -= 1
            content = content[:-1] + b"?"
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        end = self.server.break_off.pop(0) if self.server.break_off else len(content)
        self.wfile.write(content[start:end])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "engines.toml"


def test_all_files_come_and_a_second_fetch_asks_for_nothing(repository: Repository, lock: Path, tmp_path: Path):
    write_lock(lock, {"engine": [repository.add(f"org.a:jar{n}:1", b"%d" % n) for n in range(20)]})
    for _ in range(2):
        fetch(tmp_path, lock=lock, repositories=[repository.url])
    assert {int(jar.read_bytes()) for jar in classpath(tmp_path, "engine", lock=lock)} == set(range(20))
    assert len(repository.asked) == 20


def test_a_transfer_that_breaks_off_goes_on_where_it_stopped(repository: Repository, lock: Path, tmp_path: Path):
    write_lock(lock, {"engine": [repository.add("org.a:b:1", BIG)]})
    repository.break_off = [4 * CHUNK, 10 * CHUNK]
    fetch(tmp_path, lock=lock, repositories=[repository.url])
    assert classpath(tmp_path, "engine", lock=lock)[0].read_bytes() == BIG
    starts = [wanted for _, wanted in repository.asked]
    assert starts == [None, f"bytes={4 * CHUNK}-", f"bytes={10 * CHUNK}-"]


def test_what_came_before_a_failure_is_kept_for_the_next_run(repository: Repository, lock: Path, tmp_path: Path):
    write_lock(lock, {"engine": [repository.add("org.a:b:1", BIG)]})
    repository.break_off = [CHUNK] * BREAKS
    with pytest.raises(SetupError, match=r"org\.a:b:1 could not be fetched: 65,536 of 1,048,576 bytes came"):
        fetch(tmp_path, lock=lock, repositories=[repository.url])
    fetch(tmp_path, lock=lock, repositories=[repository.url])
    assert repository.asked[-1][1] == f"bytes={CHUNK}-"


def test_a_server_without_ranges_sends_the_file_anew(repository: Repository, lock: Path, tmp_path: Path):
    write_lock(lock, {"engine": [repository.add("org.a:b:1", BIG)]})
    repository.break_off, repository.ranges = [4 * CHUNK], False
    fetch(tmp_path, lock=lock, repositories=[repository.url])
    assert classpath(tmp_path, "engine", lock=lock)[0].read_bytes() == BIG


def test_a_file_that_came_damaged_is_fetched_once_more(repository: Repository, lock: Path, tmp_path: Path):
    write_lock(lock, {"engine": [repository.add("org.a:b:1", b"right")]})
    repository.damage = 1
    fetch(tmp_path, lock=lock, repositories=[repository.url])
    assert classpath(tmp_path, "engine", lock=lock)[0].read_bytes() == b"right"


def test_a_file_that_came_damaged_twice_is_named_and_deleted(repository: Repository, lock: Path, tmp_path: Path):
    write_lock(lock, {"engine": [repository.add("org.a:b:1", b"right")]})
    repository.damage = 2
    with pytest.raises(SetupError, match=r"org\.a:b:1 came damaged twice: its sha256 is \w{64}, the lock says \w{64}"):
        fetch(tmp_path, lock=lock, repositories=[repository.url])
    assert not [file for file in (tmp_path / "maven").rglob("*") if file.is_file()]


def test_a_file_that_was_damaged_in_the_cache_is_replaced(repository: Repository, lock: Path, tmp_path: Path):
    write_lock(lock, {"engine": [repository.add("org.a:b:1", b"right")]})
    fetch(tmp_path, lock=lock, repositories=[repository.url])
    jar = classpath(tmp_path, "engine", lock=lock)[0]
    jar.write_bytes(b"wrong")
    fetch(tmp_path, lock=lock, repositories=[repository.url])
    assert jar.read_bytes() == b"right"


def test_a_file_in_no_repository_is_named(repository: Repository, lock: Path, tmp_path: Path):
    write_lock(lock, {"engine": [Artifact("org.a:b:1", "00", 1)]})
    with pytest.raises(SetupError, match=r"org\.a:b:1 is in none of the Maven repositories"):
        fetch(tmp_path, lock=lock, repositories=[repository.url])


def test_the_second_repository_is_asked_for_what_the_first_lacks(repository: Repository, lock: Path, tmp_path: Path):
    write_lock(lock, {"engine": [repository.add("org.a:b:1", b"right")]})
    fetch(tmp_path, lock=lock, repositories=[f"{repository.url}/empty", repository.url])
    assert classpath(tmp_path, "engine", lock=lock)[0].read_bytes() == b"right"


def test_two_fetches_at_once_fetch_each_file_once(repository: Repository, lock: Path, tmp_path: Path):
    with tarfile.open(fileobj=(packed := io.BytesIO()), mode="w:gz") as file:
        member = tarfile.TarInfo("b-1/notes.txt")
        member.size = 5
        file.addfile(member, io.BytesIO(b"hello"))
    write_lock(lock, {"engine": [repository.add("org.a:b:1:tar.gz:bin", packed.getvalue())]})
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(fetch, tmp_path, lock=lock, repositories=[repository.url]) for _ in range(2)]
        assert [job.result() for job in jobs] == [None, None]
    assert (unpacked(tmp_path, "engine", lock=lock) / "notes.txt").read_text() == "hello"
    assert len(repository.asked) == 1

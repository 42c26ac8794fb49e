"""One run of Apache Bench: its command, and what its report says.

Source: the manual page ``ab(1)`` of Apache HTTP Server 2.4. Two things that it does not say, found by trying:

- Without ``-l`` an answer whose length differs from the first one's is counted as failed.
- An answer of no bytes, the connection just closed, is counted as complete and not as failed. `run` raises when all
  answers are so; among many answers a few cannot be told.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from questlog.errors import GenerateError

AB = "ab"
NDJSON = "application/x-ndjson"
TIMEOUT = 30
"""Seconds that ab waits for an answer."""
HEADERS_AND_ANSWER = "2"
"""ab's verbosity from which it prints what was sent and answered."""
ANSWER_CHARACTERS = 500

HTTP_PORT = 80
MISSING = f"{AB}, Apache Bench, is not on this machine: install the package apache2-utils, or run scripts/setup"
NOT_LISTENING = "nothing answers at {origin}: {error}. Start the servers with `questlog up`"

_FIGURE = r"^{label}:\s+([\d.]+)"
_STATUS = re.compile(
    r"^LOG: header received:\nHTTP/\d\.\d (\d{3})[^\n]*\n(?:[^\n]+\n)*\n(.*?)\n(?:WARNING|LOG|\.\.)", re.M | re.S
)


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """What ab reported of one run.

    Requests are counted in `complete` (answered, with whatever status), `failed` (of them, by connect, receive or an
    exception), `non_2xx` (of them, with another status) and `keep_alive` (on a connection used before or to be used
    again). Times are in milliseconds for one request; the percentiles are None for a run of one request. `status` and
    `answer` (the beginning of the last answer's body) are given only for a run that was told to `show` them.
    """

    url: str
    concurrency: int
    complete: int
    failed: int
    non_2xx: int
    keep_alive: int
    seconds: float
    requests_per_second: float
    mean_ms: float
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    longest_ms: float | None = None
    transferred_bytes: int
    status: int | None = None
    answer: str = ""

    @property
    def accepted(self) -> int:
        """Requests answered with a 2xx."""
        return max(0, self.complete - self.failed - self.non_2xx)


def run(
    url: str,
    *,
    requests: int = 1,
    concurrency: int = 1,
    keep_alive: bool = False,
    body: Path | None = None,
    content_type: str = NDJSON,
    headers: Mapping[str, str] | None = None,
    timeout: int = TIMEOUT,
    show: bool = False,
) -> BenchResult:
    """Run ab once: `requests` times the same GET, or the same POST if there is a `body`.

    Raises:
        GenerateError: ab is missing, nothing listens at the address, no answer came in time, or only empty ones.
    """
    with tempfile.TemporaryDirectory(prefix="questlog-ab-") as folder:
        percentiles = Path(folder) / "percentiles.csv"
        command = [AB, "-q", "-l", "-n", str(requests), "-c", str(concurrency), "-s", str(timeout)]
        command += ["-e", str(percentiles)] if requests > 1 else []
        command += ["-k"] if keep_alive else []
        command += ["-v", HEADERS_AND_ANSWER] if show else []
        command += ["-p", str(body), "-T", content_type] if body else []
        for name, text in (headers or {}).items():
            command += ["-H", f"{name}: {text}"]
        report = _report([*command, url], url)
        result = parse(url, report, percentiles.read_text() if percentiles.exists() else "")
    if show and result.status is None:
        raise GenerateError(f"{_origin(url)} answered, but not with an HTTP status: {report[-200:]!r}")
    return result


def require(url: str) -> None:
    """Return if ab is here and something listens at the address.

    Raises:
        GenerateError: says which of them is not so.
    """
    if shutil.which(AB) is None:
        raise GenerateError(MISSING)
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or HTTP_PORT), timeout=TIMEOUT).close()
    except OSError as error:
        raise GenerateError(NOT_LISTENING.format(origin=_origin(url), error=error)) from None


def parse(url: str, report: str, percentiles: str = "") -> BenchResult:
    """The result in ab's report (its standard output) and in the file that ``-e`` had it write.

    Raises:
        GenerateError: the report lacks a figure, or says that only empty answers came.
    """
    served = dict(line.split(",", 1) for line in percentiles.splitlines()[1:])
    shown = _STATUS.findall(report)
    result = BenchResult(
        url=url,
        concurrency=int(_figure(report, "Concurrency Level")),
        complete=int(_figure(report, "Complete requests")),
        failed=int(_figure(report, "Failed requests")),
        non_2xx=int(_figure(report, "Non-2xx responses", "0")),
        keep_alive=int(_figure(report, "Keep-Alive requests", "0")),
        seconds=float(_figure(report, "Time taken for tests")),
        requests_per_second=float(_figure(report, "Requests per second")),
        mean_ms=float(_figure(report, "Time per request")),
        p50_ms=_milliseconds(served, "50"),
        p95_ms=_milliseconds(served, "95"),
        p99_ms=_milliseconds(served, "99"),
        longest_ms=_milliseconds(served, "100"),
        transferred_bytes=int(_figure(report, "Total transferred")),
        status=int(shown[-1][0]) if shown else None,
        answer=shown[-1][1].strip()[:ANSWER_CHARACTERS] if shown else "",
    )
    if result.complete and not result.transferred_bytes:
        raise GenerateError(f"{_origin(url)} closed the connection without an answer; its log says why")
    return result


def _report(command: list[str], url: str) -> str:
    try:
        # in a session of its own, so that Ctrl-C lets a request under way come to its end
        done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
    except FileNotFoundError:
        raise GenerateError(MISSING) from None
    if "Connection refused" in done.stderr:
        raise GenerateError(NOT_LISTENING.format(origin=_origin(url), error="connection refused"))
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise GenerateError(f"{AB} ended with {done.returncode} on {_origin(url)}: {said[-1] if said else 'no output'}")
    return done.stdout


def _figure(report: str, label: str, default: str | None = None) -> str:
    found = re.search(_FIGURE.format(label=re.escape(label)), report, re.M)
    if found:
        return found[1]
    if default is None:
        raise GenerateError(f"{AB}'s report has no line {label!r}: {report[-200:]!r}")
    return default


def _milliseconds(served: Mapping[str, str], percent: str) -> float | None:
    return float(served[percent]) if percent in served else None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"

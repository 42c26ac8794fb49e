"""Which browser is taken, from programs that this file makes up, and why one did not start."""

import subprocess
import sys
from pathlib import Path

import pytest

from questlog.book import browser
from questlog.errors import SetupError

DRIVER_DIED = """\
/clone/playwright/driver/node: error while loading shared libraries: libatomic.so.1: cannot open shared object file
Traceback (most recent call last):
Exception: Connection closed while reading from the driver
"""
BROWSER_DIED = """\
playwright._impl._errors.TargetClosedError: BrowserType.launch: Target page, context or browser has been closed
<launching> /usr/bin/chromium-browser --headless
[pid=7][err] Command '/usr/bin/chromium-browser' requires the chromium snap to be installed.
[pid=7][err] Please install it with:
[pid=7][err] snap install chromium
Call log:
  - [pid=7] <kill>
"""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser, "SNAPS", str(tmp_path / "snap"))
    return tmp_path


def add(folder: Path, name: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / name).touch(mode=0o755)
    return str(folder / name)


@pytest.mark.parametrize("name", browser.NAMES)
def test_any_chromium_or_chrome_is_found(programs: Path, name: str) -> None:
    assert browser.find() is None

    path = add(programs, name)

    assert browser.find() == path


def test_a_snap_is_found_off_the_path_and_before_the_stub_that_asks_for_it(programs: Path) -> None:
    add(programs, "chromium-browser")
    snap = add(programs / "snap", "chromium")

    assert browser.find() == snap


def test_without_a_browser_the_error_names_what_was_looked_for_and_what_to_run(programs: Path) -> None:
    with pytest.raises(SetupError, match=r"none of chromium, google-chrome, .*: run scripts/setup --with-browser"):
        browser.check()


def test_a_missing_library_is_named() -> None:
    assert "libatomic.so.1 is missing" in browser.reason(DRIVER_DIED)


@pytest.mark.parametrize(
    ("output", "last"), [(BROWSER_DIED, "snap install chromium"), ("No module named 'playwright'\n", "'playwright'")]
)
def test_what_the_browser_said_is_quoted_and_without_it_what_playwright_said(output: str, last: str) -> None:
    assert browser.reason(output).endswith(last)
    assert "Call log" not in browser.reason(output)


def test_the_browser_is_looked_for_without_any_library_installed() -> None:
    command = [sys.executable, "-S", "-c", "import questlog.book.browser as browser; browser.find()"]
    subprocess.run(command, env={"PYTHONPATH": str(Path(browser.__file__).parents[2])}, check=True)

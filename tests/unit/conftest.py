"""Unit tests start from the defaults: no setting of the shell that runs them reaches one."""

import os

import pytest

from questlog.settings import PREFIX


@pytest.fixture(autouse=True)
def no_settings_from_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)

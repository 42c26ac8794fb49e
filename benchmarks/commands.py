"""The command line of a checkout: what its versions have in common, whatever their code looks like."""

from __future__ import annotations

import subprocess
import sys

from questlog.errors import QuestlogError
from questlog.settings import Settings


def questlog(settings: Settings, *arguments: str, python: str = sys.executable) -> None:
    """Run a command to its end, with these settings and an interpreter of the checkout.

    Raises:
        QuestlogError: the command failed; quotes what it wrote.
    """
    command = [python, "-m", "questlog", *arguments]
    done = subprocess.run(command, env=settings.environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise QuestlogError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")

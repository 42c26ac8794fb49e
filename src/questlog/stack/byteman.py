"""Byteman, a Java agent: changes what two servers do and have no setting for, by the rules of conf/*/*.btm."""

from __future__ import annotations

from pathlib import Path

from questlog.settings import Settings
from questlog.stack import artifacts


def agent(settings: Settings, *rules: Path) -> str:
    """The option of Java that applies files of rules.

    Raises:
        SetupError: Byteman is not in the cache.
    """
    (jar,) = artifacts.classpath(settings.cache_dir, "byteman")
    scripts = ",".join(f"script:{file}" for file in rules)
    return f"-javaagent:{jar}={scripts},boot:{jar}"  # plugins see no other classes than their own and those of boot

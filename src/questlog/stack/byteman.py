"""Byteman, a Java agent: keeps two servers on one address that have no setting for it, by conf/*/listen.btm."""

from __future__ import annotations

from pathlib import Path

from questlog.settings import Settings
from questlog.stack import artifacts


def agent(settings: Settings, rules: Path) -> str:
    """The option of Java that applies a file of rules.

    Raises:
        SetupError: Byteman is not in the cache.
    """
    (jar,) = artifacts.classpath(settings.cache_dir, "byteman")
    return f"-javaagent:{jar}=script:{rules}"

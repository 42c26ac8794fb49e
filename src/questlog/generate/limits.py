"""Limits of what may be asked for."""

from datetime import date
from typing import TypeVar

from questlog.errors import SettingsError

Comparable = TypeVar("Comparable", int, float, date)


def check(name: str, value: Comparable, least: Comparable, most: Comparable) -> None:
    """Refuse a value that is out of its limits.

    Raises:
        SettingsError: names the value and both limits.
    """
    if not least <= value <= most:
        raise SettingsError(f"{name} is {value}; it must be from {least} to {most}")

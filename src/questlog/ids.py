"""Ids that the server gives."""

from __future__ import annotations

import os

BYTES, AT_ONCE = 16, 256
DIGITS = 2 * BYTES

_VARIANT = dict(zip("0123456789abcdef", 4 * "89ab", strict=True))  # its upper two bits are 10

_drawn: list[str] = []
os.register_at_fork(after_in_child=_drawn.clear)  # or two processes would give the same ids


def new_id() -> str:
    """A random UUID (RFC 9562, version 4) as text; nobody who knows some of them can guess others."""
    try:
        return _drawn.pop()
    except IndexError:
        mine, *others = _draw()
        _drawn.extend(others)
        return mine


def _draw() -> list[str]:
    """Many at once: each call of the system lets other threads go first, under load all of them."""
    random = os.urandom(BYTES * AT_ONCE).hex()
    each = [random[begin : begin + DIGITS] for begin in range(0, len(random), DIGITS)]
    return [f"{x[:8]}-{x[8:12]}-4{x[13:16]}-{_VARIANT[x[16]]}{x[17:20]}-{x[20:]}" for x in each]

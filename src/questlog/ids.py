"""Ids that the server gives."""

from __future__ import annotations

import os

BYTES, AT_ONCE = 16, 256

_drawn: list[bytes] = []
os.register_at_fork(after_in_child=_drawn.clear)  # or two processes would give the same ids


def new_id() -> str:
    """A random UUID (RFC 9562, version 4) as text; nobody who knows some of them can guess others."""
    digits = _random().hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def _random() -> bytes:
    """From the system, many at once: each call of it lets other threads go first, under load all of them."""
    try:
        return _drawn.pop()
    except IndexError:
        drawn = os.urandom(BYTES * AT_ONCE)
        _drawn.extend(drawn[begin : begin + BYTES] for begin in range(BYTES, len(drawn), BYTES))
        return drawn[:BYTES]

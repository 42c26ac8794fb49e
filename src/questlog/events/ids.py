"""Ids that the server gives."""

from __future__ import annotations

import secrets


def new_id() -> str:
    """A random UUID (RFC 9562, version 4) as text; `uuid.uuid4` takes twice as long for the object that it makes."""
    digits = secrets.token_hex(16)
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

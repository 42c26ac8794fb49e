"""Times as clients write them, and as they are stored.

A client writes RFC 3339 with capital T and Z, to the nanosecond at most, in the years 2020 to 2099. On the first and
the last day of these it has to be UTC, so that no zone leads out of them, and a pattern alone can say what is allowed.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)

_DAY = (
    r"20[2-9][0-9]-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))|20(?:[2468][048]|[3579][26])-02-29"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_NOT_AT_THE_ENDS = r"(?!(?:2020-01-01|2099-12-31).*[+-](?!00:00))"
PATTERN = rf"^{_NOT_AT_THE_ENDS}(?:{_DAY})T{_CLOCK}:[0-5][0-9](?:\.[0-9]{{1,9}})?(?:Z|[+-]{_CLOCK})$"
"""Every time that is allowed and no other; ECMAScript reads it as Python does, which must match it as a whole."""

STORED_LENGTH = len("2026-01-05T10:00:00.000Z")  # no other time that is allowed is so long and ends in Z

_WRITTEN = re.compile(PATTERN)


def read(text: str) -> datetime:
    """The moment that a text names, to the microsecond.

    Raises:
        ValueError: `PATTERN` does not match.
    """
    if not _WRITTEN.fullmatch(text):
        raise ValueError("not a time with its zone, or out of range")
    return datetime.fromisoformat(text)


def stored(text: str) -> str:
    """The moment that a text names, as it is stored: `timestamp` of what `read` gives.

    Raises:
        ValueError: as `read`.
    """
    is_stored_so = len(text) == STORED_LENGTH and text.endswith("Z") and _WRITTEN.fullmatch(text)
    return text if is_stored_so else timestamp(read(text))


@functools.lru_cache(maxsize=64)  # what came in one body was received at one moment
def timestamp(moment: datetime) -> str:
    """UTC to the millisecond, as in ``2026-01-05T10:00:00.000Z``: RFC 3339."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Retries: a call is repeated while its error is temporary, as when a server restarts; each client says which is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity

PAUSE = 0.3
"""Seconds between two tries."""

Result = TypeVar("Result")


def retried(call: Callable[[], Result], is_temporary: Callable[[BaseException], bool], seconds: float) -> Result:
    """What the call returns, which is tried again for so many seconds while its errors are temporary.

    Raises:
        BaseException: the last error of the call, as it is.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_temporary),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(PAUSE),
        reraise=True,
    )
    return retrying(call)

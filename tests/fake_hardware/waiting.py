"""Waits with a time-out."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 5.0  # [s]


def wait_until(condition: Callable[[], bool], what: str, timeout: float = PATIENCE) -> float:
    """Returns how long it took [s]. Errors: `TimeoutError` that says `what` did not happen."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > timeout:
            raise TimeoutError(f"not within {timeout} s: {what}")
        time.sleep(0.005)
    return time.monotonic() - began

"""Whether a source has fallen silent, on a clock that only grows."""

from __future__ import annotations

import time
from collections.abc import Callable


class Staleness:
    """A wall clock that is set, and a simulated one that rests, change nothing here."""

    def __init__(self, timeout: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._timeout, self._clock = timeout, clock
        self._heard = clock()

    def hear(self) -> None:
        """Something has come."""
        self._heard = self._clock()

    def age(self) -> float:
        """[s] since something came, or since the beginning."""
        return self._clock() - self._heard

    def is_stale(self) -> bool:
        """Nothing came for longer than the time-out."""
        return self.age() > self._timeout

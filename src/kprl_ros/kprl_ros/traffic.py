"""How messages flow through a node: rate, latency and drops. Pure."""

from __future__ import annotations

from collections import deque
from statistics import median

WINDOW = 2.0  # [s] that rate and latency are taken over
NANOSECOND = 1e-9  # [s]
PAUSE = 0.5  # [s] between two stamps, above which nothing was lost: nobody sent
USUAL_GAPS = 31  # gaps between stamps whose median is the sender's period


class Traffic:
    """What was passed on, on a steady clock."""

    def __init__(self) -> None:
        self.published = 0
        self.dropped = 0  # what came, or should have come, and was not passed on
        self._number: int | None = None
        self._recent: deque[tuple[float, float | None]] = deque()  # (steady time [s], latency [s])

    def publish(self, number: int, latency: float | None, now: float) -> None:
        """A message with its sender's counter `number` went out `latency` [s] after its stamp; None: nobody knows."""
        # A counter that goes back is that of a device that began anew.
        if self._number is not None and number > self._number:
            self.dropped += number - self._number - 1
        self._number = number
        self.published += 1
        self._recent.append((now, latency))
        self._forget(now)

    def restart(self) -> None:
        """The sender began anew: its counter says nothing about what was before."""
        self._number = None

    def rate(self, now: float) -> float:
        """[Hz] over the last WINDOW; 0 where fewer than two messages lie in it."""
        self._forget(now)
        if len(self._recent) < 2:
            return 0.0
        span = self._recent[-1][0] - self._recent[0][0]
        return (len(self._recent) - 1) / span if span > 0 else 0.0

    def latency(self, now: float) -> tuple[float, float]:
        """Mean and greatest [s] over the last WINDOW; zeros where none is known."""
        self._forget(now)
        latencies = [latency for _, latency in self._recent if latency is not None]
        return (sum(latencies) / len(latencies), max(latencies)) if latencies else (0.0, 0.0)

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0][0] < now - WINDOW:
            self._recent.popleft()


class StampCounter:
    """Numbers messages that carry no counter by their stamps, so that a gap of two periods leaves out a number.

    The period is the median of the last gaps: nobody needs to know the sender's rate, and one late message is no drop.
    """

    def __init__(self) -> None:
        self._number = 0
        self._stamp: int | None = None  # [ns]
        self._gaps: deque[int] = deque(maxlen=USUAL_GAPS)  # [ns]

    def number(self, stamp: int) -> int:
        """The number of the message with this stamp [ns]."""
        gap = 0 if self._stamp is None else stamp - self._stamp
        self._stamp = stamp
        self._number += 1
        if 0 < gap < PAUSE / NANOSECOND:
            self._gaps.append(gap)
            self._number += max(round(gap / median(self._gaps)) - 1, 0)
        return self._number

"""How the images flow: rate, latency and drops. Pure."""

from __future__ import annotations

from collections import deque

WINDOW = 2.0  # [s] that rate and latency are taken over


class Traffic:
    """What was published, on a steady clock."""

    def __init__(self) -> None:
        self.published = 0
        self.dropped = 0  # frames that the device counted and that were not published
        self._number: int | None = None
        self._recent: deque[tuple[float, float]] = deque()  # (steady time [s], latency [s])

    def publish(self, number: int, latency: float, now: float) -> None:
        """An image with the device's counter `number` went out `latency` [s] after its stamp."""
        # A counter that goes back is that of a device that began anew.
        if self._number is not None and number > self._number:
            self.dropped += number - self._number - 1
        self._number = number
        self.published += 1
        self._recent.append((now, latency))
        self._forget(now)

    def restart(self) -> None:
        """The camera was opened anew: its counter says nothing about the frames before."""
        self._number = None

    def rate(self, now: float) -> float:
        """[Hz] over the last WINDOW; 0 where fewer than two images lie in it."""
        self._forget(now)
        if len(self._recent) < 2:
            return 0.0
        span = self._recent[-1][0] - self._recent[0][0]
        return (len(self._recent) - 1) / span if span > 0 else 0.0

    def latency(self, now: float) -> tuple[float, float]:
        """Mean and greatest [s] over the last WINDOW; zeros where it is empty."""
        self._forget(now)
        latencies = [latency for _, latency in self._recent]
        return (sum(latencies) / len(latencies), max(latencies)) if latencies else (0.0, 0.0)

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0][0] < now - WINDOW:
            self._recent.popleft()

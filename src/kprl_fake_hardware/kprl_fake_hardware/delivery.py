"""From the sensor to the host: latency, lost and late frames, and what else goes wrong on the way. No SDK, no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]

LATENCY = 0.025  # [s] from the exposure to the host, as a D435's at 30 Hz
LATE = 0.05  # [s] more, of a late frame: one control period
MOST_WAITING = 60  # frames on their way


@dataclass(frozen=True)
class Exposed:
    """A frame on its way."""

    number: int  # the device's counter
    time: float  # [s since the epoch] of the exposure
    due: float  # [s since the epoch] at the host
    image: Grey


class Delivery:
    """`expose` puts frames in, `take_due` gives those out that have arrived, in their order."""

    def __init__(self) -> None:
        self._waiting: deque[Exposed] = deque(maxlen=MOST_WAITING)
        self._number = 0
        self._frozen: Grey | None = None
        self.is_frozen = False  # the same image again and again
        self.is_silent = False  # no frame at all, from a device that is there
        self.extra_latency = 0.0  # [s]
        self.extra_loss = 0.0  # share of the frames

    def expose(self, image: Grey, time: float, rng: np.random.Generator, dropped: float, late: float) -> None:
        """A frame was taken at `time` [s since the epoch]; `dropped` and `late` are shares of the frames."""
        self._number += 1
        if self._frozen is None or not self.is_frozen:
            self._frozen = image
        chance = rng.random()
        if self.is_silent or chance < dropped or rng.random() < self.extra_loss:
            return
        due = time + LATENCY + self.extra_latency + (LATE if chance < dropped + late else 0.0)
        self._waiting.append(Exposed(self._number, time, due, self._frozen))

    def skip(self, count: int) -> None:
        """Frames were never taken, for want of a processor: the counter knows."""
        self._number += count

    def next_due(self) -> float | None:
        """When [s since the epoch] the next frame arrives; None where none is on its way."""
        return self._waiting[0].due if self._waiting else None

    def take_due(self, now: float) -> list[Exposed]:
        """What has arrived by `now` [s since the epoch]; a late frame holds up those behind it."""
        arrived = []
        while self._waiting and self._waiting[0].due <= now:
            arrived.append(self._waiting.popleft())
        return arrived

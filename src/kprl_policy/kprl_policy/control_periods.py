"""How often the policy acts, and how many control periods that are, whatever the camera's rate. Pure."""

from __future__ import annotations

from kprl.control.limits import CONTROL_PERIOD

PERIOD = round(CONTROL_PERIOD * 1e9)  # [ns]
LEAST_GAP = PERIOD // 2  # [ns] between two images that are acted on
EARLY = PERIOD // 4  # [ns] before its time at which an image may begin a period: clocks and timers jitter


def too_soon(stamp: int, acted_on: int) -> bool:
    """Whether the image of `stamp` [ns] comes too soon after the one that was acted on.

    By the images' stamps, not by when they came: of a 30 Hz camera every image passes, however late one of them was,
    and the driver's dead-man, which gives a fast arm 55 ms, gets a command each 33 ms. Of 60 Hz every other one passes.
    """
    return stamp - acted_on < LEAST_GAP


class ControlPeriods:
    """Counts the periods of CONTROL_PERIOD in which the policy acted, by the stamps of what it acted on.

    A bridge sends one image a period, a camera 1.5 or 3. A time without images counts as one period however long it is:
    the policy gets as many as it was trained to need.
    """

    def __init__(self) -> None:
        self.done = 0
        self._due = 0  # [ns] when the next one begins

    def begins(self, stamp: int) -> bool:
        """Whether a new period begins with the image of `stamp` [ns]."""
        return self.done == 0 or stamp >= self._due - EARLY

    def act(self, stamp: int) -> None:
        """The policy acts on the image of `stamp` [ns]."""
        if self.begins(stamp):
            on_time = self.done > 0 and stamp < self._due + PERIOD - EARLY
            self._due = (self._due if on_time else stamp) + PERIOD
            self.done += 1

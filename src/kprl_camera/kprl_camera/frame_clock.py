"""When an image was taken, in ROS time."""

from __future__ import annotations

from dataclasses import dataclass

from kprl_ros.stamps import NANOSECONDS

# A sensor time further from the arrival is no time of this host: a clock was set, or ROS time is simulated.
LATEST = NANOSECONDS // 2  # [ns] before the arrival
EARLIEST = NANOSECONDS // 100  # [ns] after the arrival: the SDK's estimate of the device's clock is a fit


@dataclass(frozen=True)
class Stamp:
    """The time for an image's header."""

    time: int  # [ns] ROS time; grows from image to image
    is_sensor: bool  # True: of the exposure; False: of the arrival at this host


class FrameClock:
    """Sensor time where the device's clock is mapped to the host's, else arrival; never the same twice."""

    def __init__(self) -> None:
        self._last: int | None = None

    def stamp(self, sensor_time: int | None, arrival: int) -> Stamp:
        """`sensor_time` [ns] since the epoch or None, `arrival` [ns] in ROS time."""
        is_sensor = sensor_time is not None and -EARLIEST <= arrival - sensor_time <= LATEST
        time = min(sensor_time, arrival) if is_sensor and sensor_time is not None else arrival
        # A clock that was set back by more than a jitter is believed: stamps begin anew there.
        if self._last is not None and self._last - LATEST <= time <= self._last:
            time = self._last + 1
        self._last = time
        return Stamp(time, is_sensor)

"""What a camera delivers and how it is asked for, in plain types: no ROS, no SDK."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kprl.errors import KprlError
from kprl_camera.lens import Lens

STREAMS = ("infra1", "color")  # as realsense-ros names them


class CameraAbsent(KprlError):
    """The camera that was asked for is not plugged in: it may yet come."""


class EndOfRecording(Exception):
    """A recording has no frame left."""


@dataclass(frozen=True)
class Frame:
    """One image as it came from the SDK."""

    pixels: npt.NDArray[np.uint8]  # (H, W) grey or (H, W, 3) RGB, owned by the frame
    number: int  # the device's counter
    sensor_time: int | None  # [ns] since the epoch, the middle of the exposure on the host's clock; None: not known
    arrival: int  # [ns] ROS time at which the SDK handed it over


@dataclass(frozen=True)
class Exposure:
    """How bright the image is made."""

    auto: bool = True
    priority: bool = False  # True: a dark scene may lower the frame rate
    time: int = 8500  # [us] where `auto` is off
    gain: int = 16  # where `auto` is off


@dataclass(frozen=True)
class Mode:
    """Which images a device is to send."""

    stream: str = "infra1"
    width: int = 640  # [px]
    height: int = 480  # [px]
    fps: int = 30  # [Hz]


class Stream(Protocol):
    """An opened camera or recording; used by one thread alone."""

    lens: Lens
    about: str  # one line for the log
    notice: str  # the newest fault that the device told of and went on with; else empty

    def next(self, timeout: float) -> Frame | None:
        """The newest frame that was not yet taken; None where `timeout` [s] passed. Raises EndOfRecording."""

    def trouble(self) -> str:
        """Why no frame will come any more, as far as the SDK says; else empty."""

    def close(self) -> None:
        """Give the device back."""

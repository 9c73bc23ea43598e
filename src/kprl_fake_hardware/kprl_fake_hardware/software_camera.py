"""A D435 without hardware: the SDK's own software device, which the real camera node opens like a real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from kprl_camera.realsense import load_sdk

RATES = (30, 15, 6)  # [Hz] that it offers, as a D435 at this size
SERIAL = "000000000435"
FIRST_ID = 1
rs: Any = None  # pyrealsense2, from the first camera on


class Bus:
    """The SDK's context, which lists a software device only as long as somebody holds the event of its coming."""

    def __init__(self) -> None:
        global rs
        rs = load_sdk()
        self._sdk = rs.context()
        self._events: list[Any] = []
        self._listener: Callable[[Any], None] = lambda event: None
        events = self._events  # not self: a context that holds itself would never end

        def keep(event: Any) -> None:
            events.append(event)

        self._sdk.set_devices_changed_callback(keep)

    def set_devices_changed_callback(self, callback: Callable[[Any], None]) -> None:
        """Accepted: of a software device that goes the SDK tells nobody."""

    def plug(self, camera: SoftwareCamera) -> None:
        """List a camera."""
        camera.device.add_to(self._sdk)

    def unplug(self) -> None:
        """List none; frames that are put into one that is open still arrive."""
        self._events.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sdk, name)


class SoftwareCamera:
    """One device with the left infrared stream, square pixels, the principal point in the middle."""

    def __init__(self, width: int, height: int, focal: float) -> None:
        self.device = rs.software_device()
        self.device.register_info(rs.camera_info.name, "Intel RealSense D435 (fake)")
        self.device.register_info(rs.camera_info.serial_number, SERIAL)
        self.device.register_info(rs.camera_info.physical_port, f"software-{SERIAL}")  # else no context lists it
        self.width, self.height = width, height
        self._sensor = self.device.add_sensor("Stereo Module")
        for place, rate in enumerate(RATES):
            self._sensor.add_video_stream(_stream(width, height, focal, rate, FIRST_ID + place))
        for option, most in (
            (rs.option.emitter_enabled, 1),
            (rs.option.enable_auto_exposure, 1),
            (rs.option.auto_exposure_priority, 1),
            (rs.option.global_time_enabled, 1),
            (rs.option.exposure, 165000),
            (rs.option.gain, 248),
        ):
            self._sensor.add_option(option, _range(most))
        self._keep: npt.NDArray[np.uint8] | None = None  # the SDK does not copy what it is given

    def rate(self) -> int:
        """[Hz] that somebody opened it with; 0 while nobody has."""
        opened = self._sensor.get_active_streams()
        return int(opened[0].fps()) if opened else 0

    def put(self, image: npt.NDArray[np.uint8], number: int, time: float) -> None:
        """Let the device deliver an image (height, width), taken at `time` [s since the epoch]."""
        opened = self._sensor.get_active_streams()
        if not opened:
            return
        frame = rs.software_video_frame()
        self._keep = np.ascontiguousarray(image)
        frame.pixels, frame.stride, frame.bpp = self._keep, self.width, 1
        frame.timestamp, frame.domain, frame.frame_number = 1000.0 * time, rs.timestamp_domain.global_time, number
        frame.profile = opened[0].as_video_stream_profile()
        self._sensor.on_video_frame(frame)


def _stream(width: int, height: int, focal: float, rate: int, number: int) -> Any:
    lens = rs.intrinsics()
    lens.width, lens.height, lens.fx, lens.fy = width, height, focal, focal
    lens.ppx, lens.ppy = width / 2, height / 2
    lens.model, lens.coeffs = rs.distortion.brown_conrady, [0.0] * 5
    video = rs.video_stream()
    video.type, video.fmt, video.index, video.uid = rs.stream.infrared, rs.format.y8, 1, number
    video.width, video.height, video.fps, video.bpp, video.intrinsics = width, height, rate, 1, lens
    return video


def _range(most: float) -> Any:
    values = rs.option_range()
    values.min, values.max, values.step, values.default = 0, most, 1, most
    return values

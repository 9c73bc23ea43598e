"""A camera without hardware: the SDK's own software device, into which frames are put one by one.

Run as a script it is the camera node with such cameras plugged in; lines on its standard input are orders:
`on` and `off` (frames), `plug` and `unplug`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rclpy  # noqa: F401  before pyrealsense2: see kprl_camera/realsense.py

import pyrealsense2 as rs  # isort: skip

WIDTH, HEIGHT, FPS = 640, 480, 30
SERIAL = "832112070001"
FOCAL, CENTRE = 385.25, (321.5, 238.75)
HEADER = 4  # bytes of a pattern that carry its number


def pattern(number: int, channels: int = 1) -> npt.NDArray[np.uint8]:
    """The image with this number: no two are alike, and each shows its number in its first bytes."""
    values = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, channels), np.uint8)
    values.reshape(-1)[:HEADER] = np.frombuffer(number.to_bytes(HEADER, "big"), np.uint8)
    return values[..., 0] if channels == 1 else values


def number_of(image: npt.NDArray[np.uint8]) -> int:
    """Which pattern it is."""
    return int.from_bytes(image.reshape(-1)[:HEADER].tobytes(), "big")


class Context:
    """The SDK's context, which lists a software device only as long as somebody holds the event of its coming."""

    def __init__(self) -> None:
        self.sdk = rs.context()
        self._events: list[Any] = []
        self._cameras: list[SoftwareCamera] = []  # a device ends with the last that holds it
        self.set_devices_changed_callback(lambda event: None)

    def set_devices_changed_callback(self, callback: Callable[[Any], None]) -> None:
        """As the SDK's."""

        events = self._events  # not self: a context that holds itself would never end

        def keep(event: Any) -> None:
            events.append(event)
            callback(event)

        self.sdk.set_devices_changed_callback(keep)

    def plug(self, camera: SoftwareCamera) -> None:
        """List a camera; the SDK raises its event for it."""
        self._cameras.append(camera)
        camera.device.add_to(self.sdk)

    def unplug(self) -> None:
        """List no software device any more; the SDK raises no event for it."""
        self._events.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sdk, name)


class SoftwareCamera:
    """A device with the infrared stream of a D435, or with its colour stream."""

    def __init__(self, serial: str = SERIAL, stream: str = "infra1", coefficients: tuple[float, ...] = (0.0,) * 5):
        self.device = rs.software_device()
        self.device.register_info(rs.camera_info.name, "Intel RealSense D435")
        self.device.register_info(rs.camera_info.serial_number, serial)
        self.device.register_info(rs.camera_info.physical_port, f"software-{serial}")  # else no context lists it
        self.is_colour = stream == "color"
        self.sensor = self.device.add_sensor("RGB Camera" if self.is_colour else "Stereo Module")
        video = rs.video_stream()
        if self.is_colour:
            video.type, video.fmt, video.index, video.uid = rs.stream.color, rs.format.rgb8, 0, 2
        else:
            video.type, video.fmt, video.index, video.uid = rs.stream.infrared, rs.format.y8, 1, 1
        video.width, video.height, video.fps, video.bpp = WIDTH, HEIGHT, FPS, self.channels
        video.intrinsics = intrinsics(coefficients)
        self._profile = self.sensor.add_video_stream(video).as_video_stream_profile()
        for option, least, most in (
            (rs.option.emitter_enabled, 0, 1),
            (rs.option.enable_auto_exposure, 0, 1),
            (rs.option.auto_exposure_priority, 0, 1),
            (rs.option.global_time_enabled, 0, 1),
            (rs.option.exposure, 1, 165000),
            (rs.option.gain, 16, 248),
        ):
            self.sensor.add_option(option, _range(least, most, most))
        self._keep: npt.NDArray[np.uint8] | None = None  # the SDK does not copy what it is given

    @property
    def channels(self) -> int:
        return 3 if self.is_colour else 1

    def option(self, option: Any) -> float:
        """What the sensor is set to."""
        return float(self.sensor.get_option(option))

    def put(
        self,
        number: int,
        timestamp: float | None = None,
        domain: Any = rs.timestamp_domain.global_time,
        pixels: npt.NDArray[np.uint8] | None = None,
    ) -> None:
        """Let the device deliver pattern `number`, taken at `timestamp` [ms since the epoch]; now, if None."""
        frame = rs.software_video_frame()
        self._keep = pattern(number, self.channels) if pixels is None else pixels
        frame.pixels, frame.stride, frame.bpp = self._keep, WIDTH * self.channels, self.channels
        frame.timestamp = 1000 * time.time() if timestamp is None else timestamp
        frame.domain, frame.frame_number, frame.profile = domain, number, self._profile
        self.sensor.on_video_frame(frame)


def intrinsics(coefficients: tuple[float, ...], model: Any = rs.distortion.brown_conrady) -> Any:
    """The SDK's intrinsics of the software camera."""
    values = rs.intrinsics()
    values.width, values.height, values.fx, values.fy = WIDTH, HEIGHT, FOCAL, FOCAL
    values.ppx, values.ppy = CENTRE
    values.model, values.coeffs = model, list(coefficients)
    return values


def _range(least: float, most: float, default: float) -> Any:
    values = rs.option_range()
    values.min, values.max, values.step, values.default = least, most, 1, default
    return values


def record(path: Path, frames: int, period: float = 1 / FPS, **camera: Any) -> None:
    """A recording of patterns 1 to `frames`, made by the SDK's recorder."""
    source = SoftwareCamera(**camera)
    recorder = rs.recorder(str(path), source.device)
    sensor = recorder.query_sensors()[0]
    sensor.open(sensor.get_stream_profiles()[0])
    sensor.start(rs.frame_queue(frames))
    for number in range(1, frames + 1):
        # The recorder stamps frames with the time of their arrival.
        source.put(number, timestamp=1000.0 * number)
        time.sleep(period)
    sensor.stop()
    sensor.close()


class Feeder(threading.Thread):
    """Puts patterns 1, 2, … into a camera at its rate while it is on."""

    def __init__(self, camera: SoftwareCamera, delay: float = 0.0) -> None:
        super().__init__(daemon=True)
        self.camera, self.delay = camera, delay  # [s] from exposure to delivery
        self.is_on = threading.Event()
        self.is_on.set()
        self.start()

    def run(self) -> None:
        number = 0
        while self.is_on.wait():
            number += 1
            self.camera.put(number, timestamp=1000 * (time.time() - self.delay))
            time.sleep(1 / FPS)


def main() -> None:
    """The camera node with a software camera, steered through standard input."""
    from kprl_camera.camera_node import CameraNode, serve
    from kprl_camera.realsense import RealSense

    context = Context()
    stream = "color" if "stream:=color" in sys.argv else "infra1"
    camera = SoftwareCamera(stream=stream)
    feeder = Feeder(camera, delay=0.02)
    threading.Thread(target=_obey, args=(feeder, context), daemon=True).start()
    if "absent:=true" in sys.argv:
        sys.argv.remove("absent:=true")
    else:
        context.plug(camera)
    serve(lambda: CameraNode(lambda now: RealSense(now, context)))


def _obey(feeder: Feeder, context: Context) -> None:
    for line in sys.stdin:
        match line.split():
            case ["on"]:
                feeder.is_on.set()
            case ["off"]:
                feeder.is_on.clear()
            case ["plug"]:
                context.plug(feeder.camera)
            case ["unplug"]:
                feeder.is_on.clear()
                context.unplug()


if __name__ == "__main__":
    main()

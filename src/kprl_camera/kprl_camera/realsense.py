"""RealSense cameras and recordings of them. The only file that imports pyrealsense2.

A camera, a recording and the SDK's software device all come through the same calls: device, sensor, profile, queue.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kprl.errors import KprlError
from kprl_camera.frame import CameraAbsent, EndOfRecording, Exposure, Frame, Mode
from kprl_camera.lens import Lens, require_polynomial

rs: Any = None  # pyrealsense2, from the first RealSense on

DISCOVERY_PERIOD = 0.1  # [s]
FIRST_FRAME_TIMEOUT = 3.0  # [s] within which a recording begins to play
SUFFIXES = (".db3", ".bag")
FORMATS = {"infra1": ("infrared", "y8"), "color": ("color", "rgb8")}  # stream and pixel format in the SDK


class RealSense:
    """The SDK: cameras that are plugged in now or later, and files."""

    def __init__(self, now: Callable[[], int], context: Any = None) -> None:
        """`now` is ROS time [ns]; `context` is the SDK's, a new one if none is given."""
        load_sdk()
        self._now = now
        self._context = rs.context() if context is None else context
        self._stream: _SensorStream | None = None
        self._context.set_devices_changed_callback(self._on_devices_changed)

    def serials(self) -> list[str]:
        """Serial numbers of the cameras that are plugged in."""
        return sorted(self._devices())

    def open_camera(
        self, serial: str, mode: Mode, exposure: Exposure, timeout: float, stop: threading.Event
    ) -> _SensorStream:
        """Start the camera with this serial number; an empty one means the only camera there is.

        Errors: `CameraAbsent` where it does not show up within `timeout` [s], or when `stop` is set; `KprlError`.
        """
        device = self._find(serial, timeout, stop)
        with _sdk_errors(f"the camera {_serial(device)} does not start; does another program use it?"):
            sensor, profile = _choose(device, mode.stream, mode)
            _configure(sensor, mode.stream, exposure)
            self._stream = _SensorStream(device, sensor, profile, self._now)
        return self._stream

    def open_recording(self, path: Path, stream: str, loops: bool) -> _RecordingStream:
        """Play a recording at the speed that it was recorded at. Errors: `KprlError`."""
        if not path.is_file():
            raise KprlError(f"there is no recording {path}")
        if path.suffix not in SUFFIXES:
            raise KprlError(f"{path} is no recording of the RealSense SDK: expected {' or '.join(SUFFIXES)}")
        with _sdk_errors(f"the recording {path} cannot be read"):
            device = self._context.load_device(str(path))
        try:
            with _sdk_errors(f"the recording {path} cannot be played"):
                sensor, profile = _choose(device, stream, None)
                return _RecordingStream(self._context, path, device, sensor, profile, self._now, loops)
        except KprlError:
            self._context.unload_device(str(path))
            raise

    def close(self) -> None:
        """Hear no more of devices that come and go; the SDK's threads end with the last who holds its context."""
        self._context.set_devices_changed_callback(_ignore)
        self._stream = None

    def _find(self, serial: str, timeout: float, stop: threading.Event) -> Any:
        deadline = time.monotonic() + timeout
        while True:
            with _sdk_errors("the SDK cannot list the cameras"):
                devices = self._devices()
            if serial in devices:
                return devices[serial]
            if not serial and len(devices) == 1:
                return next(iter(devices.values()))
            found = ", ".join(sorted(devices)) or "none"
            if not serial and devices:
                raise KprlError(f"there are several cameras: set the parameter serial to one of {found}")
            if time.monotonic() >= deadline or stop.wait(DISCOVERY_PERIOD):
                wanted = f"camera with the serial number {serial}" if serial else "RealSense camera"
                raise CameraAbsent(f"no {wanted} within {timeout:g} s; found: {found}")

    def _devices(self) -> dict[str, Any]:
        # One in recovery mode has no serial number.
        devices = [device for device in self._context.query_devices() if device.supports(rs.camera_info.serial_number)]
        return {_serial(device): device for device in devices}

    def _on_devices_changed(self, event: Any) -> None:
        """Called on a thread of the SDK's."""
        stream = self._stream
        if stream is not None and event.was_removed(stream.device):
            stream.unplugged.set()


def load_sdk() -> Any:
    """Import pyrealsense2 and return it: after ROS, never before.

    Its wheel carries a Fast DDS of its own, some singletons of which the dynamic linker shares with ROS's: whose come
    first serve both. ROS's Fast DDS with the SDK's singletons crashes at the end of the process; the SDK uses none.
    """
    global rs
    try:
        import pyrealsense2
    except ImportError as error:  # the wheel is missing, or the libusb that it loads
        raise KprlError(f"pyrealsense2 cannot be imported ({error}): run `make setup`") from error
    rs = pyrealsense2
    return rs


class _SensorStream:
    """A `Stream` of one sensor of a device."""

    def __init__(self, device: Any, sensor: Any, profile: Any, now: Callable[[], int]) -> None:
        self.device, self._sensor, self._profile, self._now = device, sensor, profile, now
        self.unplugged = threading.Event()
        self.notice = ""
        self.lens = _lens(profile)
        self.about = f"{device.get_info(rs.camera_info.name)} {_serial(device)}, {_describe(profile)}"
        # A queue of one keeps the newest frame, whatever the reader does.
        self._queue = rs.frame_queue(1)
        sensor.set_notifications_callback(self._on_notification)
        sensor.open(profile)
        sensor.start(self._queue)

    def next(self, timeout: float) -> Frame | None:
        """The newest frame that was not yet taken; None where `timeout` [s] passed."""
        with _sdk_errors("the camera delivers no frames"):
            is_there, frame = self._queue.try_wait_for_frame(round(1000 * timeout))
            arrival = self._now()
            if not is_there:
                return None
            # A copy: frames that are held starve the SDK, which has a few of them only.
            pixels = np.array(frame.get_data())
            is_mapped = frame.get_frame_timestamp_domain() == rs.timestamp_domain.global_time
            sensor_time = round(frame.get_timestamp() * 1e6) if is_mapped else None  # [ms] to [ns]
            return Frame(pixels, frame.get_frame_number(), sensor_time, arrival)

    def trouble(self) -> str:
        """Why no frame will come any more; else empty."""
        return "the camera was unplugged" if self.unplugged.is_set() else ""

    def close(self) -> None:
        """Give the device back; one that is gone answers with an error, which says nothing new."""
        self._sensor.set_notifications_callback(_ignore)  # else sensor and stream hold each other for ever
        for step in (self._sensor.stop, self._sensor.close):
            try:
                step()
            except RuntimeError:
                pass

    def _on_notification(self, notification: Any) -> None:
        """Called on a thread of the SDK's."""
        if notification.get_category() == rs.notification_category.hardware_error:
            self.notice = f"the camera reports: {notification.get_description()}"


class _RecordingStream(_SensorStream):
    """A `Stream` of a recording, from the beginning again if it `loops`."""

    def __init__(
        self, context: Any, path: Path, device: Any, sensor: Any, profile: Any, now: Callable[[], int], loops: bool
    ) -> None:
        self._context, self._path, self._loops = context, path, loops
        self._begin()
        super().__init__(device, sensor, profile, now)

    def next(self, timeout: float) -> Frame | None:
        """The next frame; its sensor time is of the day of the recording, and therefore left out."""
        frame = super().next(timeout)
        if frame is None:
            self._look_for_end()
            return None
        self._frames += 1
        return Frame(frame.pixels, frame.number, None, frame.arrival)

    def close(self) -> None:
        """Let go of the file."""
        super().close()
        self._context.unload_device(str(self._path))

    def _begin(self) -> None:
        self._frames, self._began = 0, time.monotonic()

    def _look_for_end(self) -> None:
        if self.device.current_status() != rs.playback_status.stopped:
            return
        if not self._frames:
            # A recording says `stopped` before it begins too.
            if time.monotonic() - self._began > FIRST_FRAME_TIMEOUT:
                raise KprlError(f"the recording {self._path} has no frame of its stream")
            return
        if not self._loops:
            raise EndOfRecording
        with _sdk_errors(f"the recording {self._path} cannot be played again"):
            super().close()
            self._begin()
            self._sensor.open(self._profile)
            self._sensor.start(self._queue)


class _sdk_errors:
    """The SDK's errors as a `KprlError` with what was tried in front."""

    def __init__(self, tried: str) -> None:
        self._tried = tried

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RuntimeError):
            raise KprlError(f"{self._tried}: {' '.join(str(error).split())}") from error


def _ignore(event: Any) -> None:
    pass


def _serial(device: Any) -> str:
    return str(device.get_info(rs.camera_info.serial_number))


def _profiles(device: Any, stream: str) -> Iterator[tuple[Any, Any]]:
    """Sensors with their video profiles of a stream."""
    kind, pixel_format = getattr(rs.stream, FORMATS[stream][0]), getattr(rs.format, FORMATS[stream][1])
    for sensor in device.query_sensors():
        for profile in sensor.get_stream_profiles():
            is_first = kind != rs.stream.infrared or profile.stream_index() == 1
            if profile.stream_type() == kind and profile.format() == pixel_format and is_first:
                yield sensor, profile.as_video_stream_profile()


def _choose(device: Any, stream: str, mode: Mode | None) -> tuple[Any, Any]:
    """Sensor and profile of a stream; `mode` is None for a recording, which has but one."""
    offered = list(_profiles(device, stream))
    for sensor, profile in offered:
        if mode is None or (profile.width(), profile.height(), profile.fps()) == (mode.width, mode.height, mode.fps):
            return sensor, profile
    wanted = f" of {mode.width} x {mode.height} at {mode.fps} Hz" if mode else ""
    has = ", ".join(sorted({_describe(profile) for _, profile in offered})) or "none of that name"
    raise KprlError(f"{_serial(device)} has no stream {stream}{wanted}: it has {has}")


def _describe(profile: Any) -> str:
    return f"{profile.width()} x {profile.height()} at {profile.fps()} Hz"


def _lens(profile: Any) -> Lens:
    values = profile.get_intrinsics()
    lens = Lens(
        *(values.fx, values.fy, values.ppx, values.ppy, values.width, values.height),
        model=values.model.name,
        coefficients=tuple(values.coeffs),
    )
    return require_polynomial(lens)


def _configure(sensor: Any, stream: str, exposure: Exposure) -> None:
    """Options that a sensor does not have are left out, except those that the user must have set on purpose."""
    option = rs.option
    _set(sensor, option.global_time_enabled, 1)
    if stream == "infra1":
        _set(sensor, option.emitter_enabled, 0)  # the projector's dots are visible in infrared
    _set(sensor, option.auto_exposure_priority, exposure.priority)
    _set(sensor, option.enable_auto_exposure, exposure.auto, is_needed=not exposure.auto)
    if not exposure.auto:
        _set(sensor, option.exposure, exposure.time, is_needed=True)
        _set(sensor, option.gain, exposure.gain, is_needed=True)


def _set(sensor: Any, option: Any, value: float, is_needed: bool = False) -> None:
    if not sensor.supports(option) or sensor.is_option_read_only(option):
        if is_needed:
            raise KprlError(f"the camera's sensor has no option {option.name}: leave auto_exposure on")
        return
    allowed = sensor.get_option_range(option)
    if not allowed.min <= value <= allowed.max:
        raise KprlError(f"the camera takes {option.name} from {allowed.min:g} to {allowed.max:g}, not {value:g}")
    sensor.set_option(option, float(value))

"""The camera node: a RealSense camera, or a recording of one, behind the topics of realsense-ros."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from kprl_camera.capture import Capture
from kprl_camera.frame import Stream
from kprl_camera.frame_clock import FrameClock
from kprl_camera.grey import to_grey
from kprl_camera.lens import Lens, rectifier
from kprl_camera.realsense import RealSense
from kprl_camera.settings import read_settings
from kprl_ros import camera_messages, topics
from kprl_ros.diagnostics import LAST_ERROR, LATENCY_MAX, LATENCY_MEAN, RATE, Diagnostics
from kprl_ros.shell import run
from kprl_ros.stamps import NANOSECONDS, to_stamp
from kprl_ros.traffic import Traffic

STEP_PERIOD = 0.05  # [s] between two looks after the camera
CLOSE_TIMEOUT = 1.0  # [s] for the SDK to give the camera back
FRAMES = {"infra1": topics.CAMERA_FRAME, "color": "camera_color_optical_frame"}


class CameraNode(Node):
    """Frame in, grey and rectified, image and camera_info out."""

    def __init__(self, make_library: Callable[[Callable[[], int]], RealSense] = RealSense) -> None:
        super().__init__("camera_node")
        self._settings = settings = read_settings(self)
        self._frame_id = FRAMES[settings.mode.stream]
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._frame_clock, self._traffic = FrameClock(), Traffic()
        self._lens: Lens | None = None
        self._bug: Exception | None = None
        self._rectify: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]] = to_grey
        self._library = make_library(self._now)
        self._capture = Capture(self._open, self._wake, settings.stale_timeout, settings.reconnect_interval)
        absence = self._capture.open(settings.waits)
        self._diagnostics = Diagnostics(self)
        self._image = self.create_publisher(Image, topics.IMAGE, settings.qos)
        self._camera_info = self.create_publisher(CameraInfo, topics.CAMERA_INFO, settings.qos)
        self.create_timer(STEP_PERIOD, self._step, clock=self._steady)
        self._say(absence or self._capture.about)

    def _open(self, stop: threading.Event) -> Stream:
        settings = self._settings
        if settings.file is not None:
            return self._library.open_recording(settings.file, settings.mode.stream, settings.loops)
        timeout = settings.discovery_timeout
        return self._library.open_camera(settings.serial, settings.mode, settings.exposure, timeout, stop)

    def _now(self) -> int:
        """ROS time [ns]."""
        return self.get_clock().now().nanoseconds

    def _wake(self) -> None:
        """Called on the capture's thread: the executor's publishes."""
        if self.executor is not None:
            self.executor.create_task(self._try_to_publish)

    def _try_to_publish(self) -> None:
        try:
            self._publish()
        except Exception as error:  # EventsExecutor (rclpy 9.1) crashes on a task that raises, not on a timer
            self._bug = error

    def _publish(self) -> None:
        taken = self._capture.take()
        if taken is None:
            return  # a newer frame was taken in its place
        frame, lens = taken
        if lens != self._lens:
            self._lens, self._rectify = lens, rectifier(lens)
            self._traffic.restart()
        grey = self._rectify(to_grey(frame.pixels))
        stamp = self._frame_clock.stamp(frame.sensor_time, frame.arrival)
        image = camera_messages.grey_image(grey, to_stamp(stamp.time))
        info = camera_messages.camera_info(lens.pinhole())
        info.header.stamp, info.header.frame_id = image.header.stamp, self._frame_id
        image.header.frame_id = self._frame_id
        self._image.publish(image)
        self._camera_info.publish(info)
        latency = (self._now() - stamp.time) / NANOSECONDS
        self._traffic.publish(frame.number, latency, self._steady_now())
        self._diagnostics.values["stamp"] = "exposure" if stamp.is_sensor else "arrival"

    def _step(self) -> None:
        if self._bug is not None:
            raise self._bug
        capture, traffic = self._capture, self._traffic
        self._say(capture.step())
        if capture.is_finished:
            self.get_logger().info("the recording has ended")
            rclpy.try_shutdown(context=self.context)
            return
        mean, greatest = traffic.latency(self._steady_now())
        self._diagnostics.fault = capture.reason
        self._diagnostics.values |= {
            "camera": capture.about or "none",
            RATE: f"{traffic.rate(self._steady_now()):.1f}",
            LATENCY_MEAN: f"{1000 * mean:.1f}",
            LATENCY_MAX: f"{1000 * greatest:.1f}",
            "images": str(traffic.published),
            "frames dropped": str(traffic.dropped),
            "reconnects": str(capture.reconnects),
            "sessions hung in the SDK": str(capture.hung),
            LAST_ERROR: capture.last_error,
        }

    def _say(self, line: str) -> None:
        if line and self._capture.reason:
            self.get_logger().warning(line)
        elif line:
            self.get_logger().info(line)

    def _steady_now(self) -> float:
        return self._steady.now().nanoseconds / NANOSECONDS

    def destroy_node(self) -> None:
        """Give the camera back with the node."""
        self._capture.close(CLOSE_TIMEOUT)
        self._library.close()
        super().destroy_node()


def serve(make_node: Callable[[], CameraNode]) -> NoReturn:
    """Spin the node until it is told to stop, and end the process at once.

    Threads of the SDK outlive its static objects and crash on them where a context is still there at the end, as it is
    for a session that hangs (2.59.1: the logger's, in its device watcher).
    """
    status = 1
    try:
        status = run(make_node)
    except Exception:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main() -> None:
    """Entry point."""
    serve(CameraNode)

"""The camera node's parameters, read once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_profile_sensor_data, qos_profile_system_default

from kprl.errors import KprlError
from kprl_camera.frame import STREAMS, Exposure, Mode
from kprl_ros.parameters import declare, declare_choice

# As realsense-ros names them. With Fast DDS the system's default is reliable and transient local: who comes late gets
# the last image, which the policy node knows by its stamp to be old.
QOS = {
    "SYSTEM_DEFAULT": qos_profile_system_default,
    "DEFAULT": QoSProfile(depth=10),
    "SENSOR_DATA": qos_profile_sensor_data,  # best effort: who subscribes reliably does not hear it
}


@dataclass(frozen=True)
class Settings:
    """All parameters."""

    file: Path | None  # None: a camera
    loops: bool
    serial: str
    waits: bool
    discovery_timeout: float  # [s]
    mode: Mode
    exposure: Exposure
    stale_timeout: float  # [s]
    reconnect_interval: float  # [s]
    qos: QoSProfile


def read_settings(node: Node) -> Settings:
    """Declare the parameters and return their values. Errors: `KprlError`."""
    source = declare_choice(node, "source", "realsense", "where images come from", ["realsense", "file"])
    file = declare(node, "file", "", "recording of the RealSense SDK (.db3, .bag) that the source `file` plays")
    loops = declare(node, "loop", True, "play the file again and again; else the node ends with it")
    if (source == "file") != bool(file):
        raise KprlError("the parameters source:=file and file:=PATH go together: one of them is missing")
    serial = _declare_serial(node)
    if serial and file:
        raise KprlError("the parameter serial names a camera, but the source is a file: leave one of them out")
    return Settings(
        file=Path(file).expanduser() if file else None,
        loops=loops,
        serial=serial,
        waits=declare(node, "wait_for_device", False, "wait for a camera that is absent at the start; else end"),
        discovery_timeout=declare(
            node, "discovery_timeout", 3.0, "time [s] that a camera may take to show up on the bus", (0.1, 10.0)
        ),
        mode=Mode(
            declare_choice(
                node, "stream", "infra1", "left infrared with the projector off, or colour turned grey", STREAMS
            ),
            declare(node, "width", 640, "width [px] of the camera's images; a recording has its own", (1, 4096)),
            declare(node, "height", 480, "height [px] of the camera's images; a recording has its own", (1, 4096)),
            declare(node, "fps", 30, "images a second of the camera; a recording has its own", (1, 300)),
        ),
        exposure=Exposure(
            declare(node, "auto_exposure", True, "the camera chooses exposure and gain"),
            declare(node, "auto_exposure_priority", False, "a dark scene may lower the rate of images"),
            declare(node, "exposure", 8500, "exposure [us] where auto_exposure is off", (1, 1_000_000)),
            declare(node, "gain", 16, "gain where auto_exposure is off", (0, 1000)),
        ),
        stale_timeout=declare(
            node, "stale_timeout", 1.0, "time [s] without an image after which the camera is opened anew", (0.1, 60.0)
        ),
        reconnect_interval=declare(
            node, "reconnect_interval", 2.0, "time [s] from one try to open a lost camera to the next", (0.1, 60.0)
        ),
        qos=QOS[declare_choice(node, "qos", "SYSTEM_DEFAULT", "quality of service of both topics", list(QOS))],
    )


def _declare_serial(node: Node) -> str:
    """Digits on a command line come as a number, and realsense-ros puts an underscore before them for this reason."""
    description = "serial number of the camera; empty: the only one that is plugged in"
    descriptor = ParameterDescriptor(description=description, read_only=True, dynamic_typing=True)
    value: Any = node.declare_parameter("serial", "", descriptor).value
    if type(value) not in (str, int):
        raise KprlError(f"parameter serial is {value}: expected the digits of a serial number")
    return str(value).removeprefix("_")

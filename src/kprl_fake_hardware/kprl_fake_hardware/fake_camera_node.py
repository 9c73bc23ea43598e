"""The real camera node with a fake camera plugged in, which looks at the workcell.

`ros2 run kprl_fake_hardware fake_camera_node [--world HOST]`: all else is as for `kprl_camera camera_node`, and so is
the node's name and its configuration.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

# First ROS, with the node: see kprl_camera.realsense.
from kprl_camera.camera_node import CameraNode, serve
from kprl_camera.realsense import RealSense
from kprl_fake_hardware.camera_faults import CameraFaults
from kprl_fake_hardware.command import FAILED, Parser
from kprl_fake_hardware.controller import LOOPBACK
from kprl_fake_hardware.fake_camera import FakeCamera
from kprl_fake_hardware.pendant import Pendant
from kprl_fake_hardware.server_thread import IDLE_PERIOD, ServerThread
from kprl_fake_hardware.software_camera import Bus
from kprl_fake_hardware.tcp_server import TcpServer
from kprl_fake_hardware.workcell import WORLD_PORT

CAMERA_PENDANT = 29103
WORLD_TIMEOUT = 30.0  # [s] in which a workcell must be there


def main() -> None:
    """Entry point; the process ends at once when the node does, see `serve`."""
    parser = Parser("fake_camera_node", description="The camera node, its camera a fake that looks at the workcell.")
    parser.add_argument("--world", default=LOOPBACK, help="address of the workcell; the camera's pendant listens there")
    chosen = parser.parse_args(sys.argv[1 : _ros_arguments()])
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    bus = Bus()
    camera = FakeCamera(bus, (chosen.world, WORLD_PORT))
    pendant = Pendant(CameraFaults(camera), state=camera.state)
    try:
        server = TcpServer(chosen.world, CAMERA_PENDANT, pendant.session)
    except OSError as error:
        _end(FAILED, f"cannot listen at {chosen.world}:{CAMERA_PENDANT}: {error.strerror or error}")
    ServerThread([server], lambda: None, IDLE_PERIOD).start()
    camera.start()
    try:
        is_found = camera.found.wait(WORLD_TIMEOUT)
    except KeyboardInterrupt:
        _end(0)
    if not is_found:
        place = f"{chosen.world}:{WORLD_PORT} within {WORLD_TIMEOUT:g} s"
        _end(FAILED, f"no workcell at {place}: start one with `ros2 run kprl_fake_hardware workcell`")
    serve(lambda: CameraNode(lambda now: RealSense(now, bus)))


def _ros_arguments() -> int:
    return sys.argv.index("--ros-args") if "--ros-args" in sys.argv else len(sys.argv)


def _end(status: int, reason: str = "") -> NoReturn:
    """End without the SDK's teardown, see `serve`."""
    if reason:
        print(f"fake_camera_node: {reason}", file=sys.stderr, flush=True)
    os._exit(status)


if __name__ == "__main__":
    main()

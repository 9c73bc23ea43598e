"""The real camera node with a fake camera plugged in, which looks at the workcell.

`ros2 run kprl_fake_hardware fake_camera_node [--world HOST]`: all else is as for `kprl_camera camera_node`, and so is
the node's name and its configuration.
"""

from __future__ import annotations

import logging
import sys

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
    chosen, _ = parser.parse_known_args(sys.argv[1 : _ros_arguments()])
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    bus = Bus()
    camera = FakeCamera(bus, (chosen.world, WORLD_PORT))
    pendant = Pendant(CameraFaults(camera), state=camera.state)
    try:
        server = TcpServer(chosen.world, CAMERA_PENDANT, pendant.session)
    except OSError as error:
        parser.error(f"cannot listen at {chosen.world}:{CAMERA_PENDANT}: {error.strerror or error}")
    ServerThread([server], lambda: None, IDLE_PERIOD).start()
    camera.start()
    if not camera.found.wait(WORLD_TIMEOUT):
        print(
            f"fake_camera_node: no workcell at {chosen.world}:{WORLD_PORT} within {WORLD_TIMEOUT:g} s: "
            "start it with `ros2 run kprl_fake_hardware workcell`",
            file=sys.stderr,
        )
        sys.exit(FAILED)
    serve(lambda: CameraNode(lambda now: RealSense(now, bus)))


def _ros_arguments() -> int:
    return sys.argv.index("--ros-args") if "--ros-args" in sys.argv else len(sys.argv)


if __name__ == "__main__":
    main()

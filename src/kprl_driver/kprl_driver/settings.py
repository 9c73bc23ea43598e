"""The driver node's parameters, read once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rclpy.node import Node

from kprl.control.kinematics import ELBOW_UP, TOOL_DOWN, solve_inverse
from kprl.errors import KprlError
from kprl.sim.assets.make_urdf import TCP_OFFSET
from kprl_driver.arm_link import ArmOptions
from kprl_ros.goal_parameter import read_goal
from kprl_ros.parameters import declare

Array = npt.NDArray[np.float64]

REACHED = 1e-4  # [m, rad] of error in the inverse kinematics


@dataclass(frozen=True)
class Settings:
    """All parameters."""

    arm: ArmOptions
    gripper_ip: str
    activates_gripper: bool
    home: Array  # (6,) [rad]
    goal: Array | None  # (3,) [m]
    publish_rate: float  # [Hz]


def read_settings(node: Node) -> Settings:
    """Declare the parameters and return their values. Errors: `KprlError`."""
    robot_ip = declare(node, "robot_ip", "", "address of the robot's controller")
    if not robot_ip:
        raise KprlError("parameter robot_ip is missing: set it to the controller's address, robot_ip:=192.168.0.3")
    gripper_ip = declare(node, "gripper_ip", "", "address of the gripper's URCap server; empty: the robot's")
    tool_offset = declare(
        node, "tool_offset", TCP_OFFSET, "distance [m] of the tool centre point from the flange", (0.0, 0.4)
    )
    home = declare(node, "home", "0.5,0.0,0.15", "where the tool goes on a reset, 'x,y,z' [m]: it points down there")
    return Settings(
        arm=ArmOptions(
            host=robot_ip,
            upper_registers=declare(
                node, "upper_registers", False, "use the input registers 24 to 47: a fieldbus has the lower ones"
            ),
            tool_offset=tool_offset,
            watchdog_hz=declare(
                node, "watchdog_hz", 6.0, "messages a second below which the controller stops the arm", (5.0, 25.0)
            ),
        ),
        gripper_ip=gripper_ip or robot_ip,
        activates_gripper=declare(
            node, "activate_gripper", True, "activate the gripper at the start if it is not: its fingers move then"
        ),
        home=home_joints(home, tool_offset),
        goal=read_goal(declare(node, "goal", "0.5,0.0,0.15", "goal 'x,y,z' [m] of every episode; empty: from /goal")),
        publish_rate=declare(node, "publish_rate", 50.0, "rate [Hz] of poses and joint states", (20.0, 125.0)),
    )


def home_joints(text: str, tool_offset: float) -> Array:
    """Joints (6,) [rad] with the tool at 'x,y,z' [m], pointing down. Errors: `KprlError`."""
    position = read_goal(text, "home")
    if position is None:
        raise KprlError("parameter home is empty: expected 3 numbers [m], as in 0.5,0.0,0.15")
    joints, error = solve_inverse(position, TOOL_DOWN, ELBOW_UP, tool_offset)
    if error > REACHED:
        raise KprlError(f"home {text} cannot be reached with the tool pointing down: choose another place")
    return joints

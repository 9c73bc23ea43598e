"""The graph's names and their quality of service: one definition for all nodes, in simulation and on the robot.

Names are relative, so that a namespace (`--ros-args -r __ns:=/left`) moves a whole robot; without one they are at the
root, as `at_root` writes them. Absolute are those two alone that ROS has once for all: /clock and /diagnostics.
Two bridges in lockstep would both own /clock: start the second graph with `-r /clock:=clock`, or in another domain.
"""

from __future__ import annotations

from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

from kprl.control import commands

IMAGE = "camera/camera/infra1/image_rect_raw"
CAMERA_INFO = "camera/camera/infra1/camera_info"
KEYPOINTS = "keypoints"
OVERLAY = "keypoints/image"
JOINT_STATES = "joint_states"
EE_POSE = "ee_pose"
EE_TWIST_CMD = "ee_twist_cmd"
EE_TWIST_APPLIED = "ee_twist_applied"
GRIPPER_CMD = "gripper_cmd"
GOAL = "goal"
ROBOT_STATUS = "robot_status"
MARKERS = "kprl/markers"
ROBOT_DESCRIPTION = "robot_description"  # of robot_state_publisher, where rviz runs
SIM_TRUTH = "sim/truth"
CLOCK = "/clock"
DIAGNOSTICS = "/diagnostics"
RESET_EPISODE = "reset_episode"  # service
POLICY_ENABLE = "policy/enable"  # service
NEW_SCENE = "workcell/new_scene"  # service: what a person does, not the robot
UNLOCK = "workcell/unlock"  # service: a person has looked, and unlocks the protective stop at the pendant
RUN_EPISODE = "run_episode"  # action
DRIVER_STOP = "driver/stop"  # service: the arm stands until the next one
DRIVER_RECOVER = "driver/recover"  # service

BASE_FRAME = commands.BASE_FRAME
CAMERA_FRAME = "camera_infra1_optical_frame"


def at_root(name: str) -> str:
    """The name as documents and people say it: that of a graph without namespace."""
    return within("", name)


def within(namespace: str, name: str) -> str:
    """The absolute name in a namespace, which may be written with or without its slash, or be empty."""
    return name if name.startswith("/") else f"/{namespace.strip('/')}/{name}".replace("//", "/")


def _reliable(depth: int, durability: QoSDurabilityPolicy) -> QoSProfile:
    return QoSProfile(depth=depth, reliability=QoSReliabilityPolicy.RELIABLE, durability=durability)


# Reliable even for images: in lockstep one lost message would stop the world.
STREAM = _reliable(10, QoSDurabilityPolicy.VOLATILE)
# For those who want the newest message only, and no queue that ages.
NEWEST = _reliable(1, QoSDurabilityPolicy.VOLATILE)
# For what holds until it changes: who comes late gets the last value.
LATCHED = _reliable(1, QoSDurabilityPolicy.TRANSIENT_LOCAL)

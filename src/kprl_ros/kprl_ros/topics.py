"""The graph's names and their quality of service: one definition for all nodes, in simulation and on the robot."""

from __future__ import annotations

from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

from kprl.control import commands

IMAGE = "/camera/camera/infra1/image_rect_raw"
CAMERA_INFO = "/camera/camera/infra1/camera_info"
KEYPOINTS = "/keypoints"
OVERLAY = "/keypoints/image"
JOINT_STATES = "/joint_states"
EE_POSE = "/ee_pose"
EE_TWIST_CMD = "/ee_twist_cmd"
EE_TWIST_APPLIED = "/ee_twist_applied"
GRIPPER_CMD = "/gripper_cmd"
GOAL = "/goal"
ROBOT_STATUS = "/robot_status"
MARKERS = "/kprl/markers"
SIM_TRUTH = "/sim/truth"
CLOCK = "/clock"
DIAGNOSTICS = "/diagnostics"
RESET_EPISODE = "/reset_episode"  # service
POLICY_ENABLE = "/policy/enable"  # service
NEW_SCENE = "/workcell/new_scene"  # service: what a person does, not the robot
UNLOCK = "/workcell/unlock"  # service: a person has looked, and unlocks the protective stop at the pendant
RUN_EPISODE = "/run_episode"  # action
DRIVER_STOP = "/driver/stop"  # service: the arm stands until the next one
DRIVER_RECOVER = "/driver/recover"  # service

BASE_FRAME = commands.BASE_FRAME
CAMERA_FRAME = "camera_infra1_optical_frame"


def _reliable(depth: int, durability: QoSDurabilityPolicy) -> QoSProfile:
    return QoSProfile(depth=depth, reliability=QoSReliabilityPolicy.RELIABLE, durability=durability)


# Reliable even for images: in lockstep one lost message would stop the world.
STREAM = _reliable(10, QoSDurabilityPolicy.VOLATILE)
# For those who want the newest message only, and no queue that ages.
NEWEST = _reliable(1, QoSDurabilityPolicy.VOLATILE)
# For what holds until it changes: who comes late gets the last value.
LATCHED = _reliable(1, QoSDurabilityPolicy.TRANSIENT_LOCAL)

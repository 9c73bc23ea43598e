"""What a launch file offers where it is installed: rviz, and a recording of the graph. Neither comes with the nodes."""

from __future__ import annotations

import time
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch.actions import ExecuteProcess
from launch_ros.actions import Node

from kprl.errors import KprlError
from kprl_ros import topics
from kprl_ros.launching import Entities, config_folder, required

RECORDED = [
    topics.IMAGE,
    topics.CAMERA_INFO,
    topics.KEYPOINTS,
    topics.JOINT_STATES,
    topics.EE_POSE,
    topics.GOAL,
    topics.EE_TWIST_CMD,
    topics.GRIPPER_CMD,
    topics.EE_TWIST_APPLIED,
    topics.ROBOT_STATUS,
    topics.DIAGNOSTICS,
]


def rviz() -> Entities:
    """rviz with the project's view; whoever closes it stops nothing. Errors: `KprlError` where it is not installed."""
    _require("rviz2", "rviz:=true", "ros-$ROS_DISTRO-rviz2")
    view = str(config_folder() / "kprl.rviz")
    return [Node(package="rviz2", executable="rviz2", name="rviz2", arguments=["-d", view], output="log")]


def recording(folder: Path) -> Entities:
    """A recording of the graph's topics in `folder`/bag-<date>, in MCAP.

    Errors: `KprlError` where rosbag2 or its MCAP plugin is not installed.
    """
    _require("ros2bag", "record:=true", "ros-$ROS_DISTRO-ros2bag")
    _require("rosbag2_storage_mcap", "record:=true", "ros-$ROS_DISTRO-rosbag2-storage-mcap")
    bag = folder / f"bag-{time.strftime('%Y%m%d-%H%M%S')}"
    folder.mkdir(parents=True, exist_ok=True)
    command = ["ros2", "bag", "record", "-s", "mcap", "-o", str(bag), *RECORDED]
    return required(ExecuteProcess(cmd=command, name="recorder", output="screen"))


def _require(package: str, argument: str, source: str) -> None:
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        raise KprlError(
            f"{argument} needs the ROS package {package}, which is not installed: install {source} "
            "on a ROS distribution, or leave the argument out"
        ) from None

"""What every launch file offers beside the graph: rviz, a viewer for machines without it, and a recording."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Mapping
from pathlib import Path

from launch.actions import ExecuteProcess
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from kprl.errors import KprlError
from kprl_ros import topics
from kprl_ros.installed import is_installed as _is_installed
from kprl_ros.launch_security import SECURITY_ARGUMENT
from kprl_ros.launching import Argument, Entities, config_folder, configured_node, required
from kprl_ros.robot_description import robot_description

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
    topics.MARKERS,
    topics.DIAGNOSTICS,
    topics.CLOCK,
]
VIEWER_MODES = {"true": "spawn", "serve": "serve", "save": "save"}
EXTRA_ARGUMENTS: dict[str, Argument] = {
    "rviz": ("false", "show the graph in rviz, where it is installed", ["true", "false"]),
    "viewer": (
        "false",
        "show it in a Rerun viewer (pip install rerun-sdk): a window, in a browser, or saved in output",
        ["false", *VIEWER_MODES],
    ),
    "record": ("false", "record the graph's topics (rosbag2, MCAP) in output", ["true", "false"]),
    "security": SECURITY_ARGUMENT,  # of kprl_ros.launching: it holds from the first node on
}


# What config/kprl.rviz names, at the root as people who open it by hand need it.
SHOWN = [topics.OVERLAY, topics.EE_POSE, topics.MARKERS, topics.GOAL, topics.ROBOT_DESCRIPTION]


def extras(values: Mapping[str, str], output: Path) -> Entities:
    """What the launch's arguments ask for of EXTRA_ARGUMENTS; files go into `output`.

    Errors: `KprlError` where something for it is not installed.
    """
    namespace = values.get("namespace", "")
    return [
        *(recording(output, namespace) if values["record"] == "true" else []),
        *(viewer(values["viewer"], output) if values["viewer"] != "false" else []),
        *(rviz(namespace) if values["rviz"] == "true" else []),
    ]


def rviz(namespace: str = "") -> Entities:
    """rviz with the project's view, and the robot's frames; whoever closes it stops nothing.

    Errors: `KprlError` where rviz or robot_state_publisher is not installed.
    """
    _require("rviz2", "rviz:=true", "ros-$ROS_DISTRO-rviz2")
    _require("robot_state_publisher", "rviz:=true", "ros-$ROS_DISTRO-robot-state-publisher")
    view = str(config_folder() / "kprl.rviz")
    moved = [(topics.at_root(name), topics.within(namespace, name)) for name in SHOWN] if namespace else []
    return [
        Node(
            package="robot_state_publisher",
            executable="robot_state_publisher",
            name="robot_state_publisher",
            # Text that is not read as YAML, though a URDF may look like it.
            parameters=[{"robot_description": ParameterValue(robot_description(), value_type=str)}],
            output="log",
        ),
        Node(
            package="rviz2",
            executable="rviz2",
            name="rviz2",
            arguments=["-d", view],
            remappings=moved,
            output="log",
        ),
    ]


def recording(folder: Path, namespace: str = "") -> Entities:
    """A recording of the graph's topics in `folder`/bag-<date>, in MCAP: by rosbag2, or by our own node without it."""
    bag = str(_dated(folder, "bag"))
    if not (_is_installed("ros2bag") and _is_installed("rosbag2_storage_mcap")):
        return required(configured_node("kprl_inspection", "record_node", {"output": bag}))
    names = [topics.within(namespace, name) for name in RECORDED]
    command = ["ros2", "bag", "record", "-s", "mcap", "-o", bag, *names]
    return required(ExecuteProcess(cmd=command, name="recorder", output="screen"))


def viewer(mode: str, folder: Path) -> Entities:
    """The graph in a Rerun viewer; whoever closes it stops nothing. `mode` is one of VIEWER_MODES.

    Errors: `KprlError` where rerun is not installed.
    """
    if importlib.util.find_spec("rerun") is None:
        raise KprlError(f"viewer:={mode} needs the Python package rerun-sdk: pip install rerun-sdk, or leave it out")
    parameters = {"mode": VIEWER_MODES[mode]}
    if mode == "save":
        parameters["output"] = str(_dated(folder, "viewer").with_suffix(".rrd"))
    return [configured_node("kprl_inspection", "viewer_node", parameters)]


def _dated(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}-{time.strftime('%Y%m%d-%H%M%S')}"


def _require(package: str, argument: str, source: str) -> None:
    if not _is_installed(package):
        raise KprlError(
            f"{argument} needs the ROS package {package}, which is not installed: install {source} "
            "on a ROS distribution, or leave the argument out"
        )

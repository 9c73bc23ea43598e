"""config/kprl.rviz in RViz's own words, with the graph's topics; and the robot that it shows."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from urllib.request import url2pathname

import numpy as np
import pytest
import yaml
from builtin_interfaces.msg import Time

from kprl.action import GRIPPER_STROKE, opening_to_knuckle
from kprl.control.kinematics import JOINT_NAMES
from kprl_policy.markers import markers
from kprl_ros import robot_messages, topics
from kprl_ros.robot_description import robot_description

FILE = Path(__file__).parents[2] / "config" / "kprl.rviz"
QOS = {
    "Depth": range(1, 1000),
    "History Policy": ("System Default", "Keep Last", "Keep All"),
    "Reliability Policy": ("System Default", "Best Effort", "Reliable"),
    "Durability Policy": ("System Default", "Volatile", "Transient Local"),
    "Filter size": range(1, 1000),
    "Value": None,
}
TOPIC = {key: value for key, value in QOS.items() if key != "Filter size"}
XYZ = {"X": float, "Y": float, "Z": float}
COMMON = {"Class": None, "Name": str, "Enabled": bool, "Value": bool}
# The properties of rviz_default_plugins' displays, tools and views (Jazzy, Kilted) as RViz writes them into its files.
# What RViz does not know it leaves out without a word: so a wrong name would change nothing on the screen.
DISPLAYS: dict[str, dict[str, Any]] = {
    "Grid": {
        "Alpha": float, "Cell Size": float, "Color": str, "Normal Cell Count": int, "Plane": ("XY", "XZ", "YZ"),
        "Plane Cell Count": int, "Reference Frame": str, "Offset": XYZ,
        "Line Style": {"Line Width": float, "Value": ("Lines", "Billboards")},
    },
    "RobotModel": {
        "Alpha": float, "Collision Enabled": bool, "Visual Enabled": bool, "Description File": str,
        "Description Source": ("Topic", "File"), "Description Topic": TOPIC, "Links": dict, "Mass Properties": dict,
        "TF Prefix": str, "Update Interval": float,
    },
    "Image": {
        "Max Value": float, "Median window": int, "Min Value": float, "Normalize Range": bool, "Topic": TOPIC,
    },
    "Pose": {
        "Alpha": float, "Axes Length": float, "Axes Radius": float, "Color": str, "Head Length": float,
        "Head Radius": float, "Shaft Length": float, "Shaft Radius": float, "Shape": ("Arrow", "Axes"), "Topic": QOS,
    },
    "MarkerArray": {"Namespaces": dict, "Topic": TOPIC},
    "PointStamped": {"Alpha": float, "Color": str, "History Length": int, "Radius": float, "Topic": QOS},
}  # fmt: skip
TOOLS = {"MoveCamera": {}, "PublishPoint": {"Single click": bool, "Topic": TOPIC}}
VIEWS = {
    "Orbit": {
        "Name": str, "Distance": float, "Focal Point": XYZ, "Focal Shape Fixed Size": bool, "Focal Shape Size": float,
        "Invert Z Axis": bool, "Near Clip Distance": float, "Pitch": float, "Yaw": float, "Target Frame": str,
        "Enable Stereo Rendering": dict, "Value": ("Orbit (rviz)",),
    }
}  # fmt: skip
PANELS = {"Displays", "Selection", "Tool Properties", "Views", "Time", "Help", "Transformation"}
TYPES = {float: (int, float), int: (int,), str: (str,), bool: (bool,), dict: (dict,)}
# topic: durability; what is published there, see kprl_ros.topics
SUBSCRIBED = {
    topics.OVERLAY: "Volatile",
    topics.EE_POSE: "Volatile",
    topics.MARKERS: "Volatile",
    topics.GOAL: "Transient Local",
    topics.ROBOT_DESCRIPTION: "Transient Local",
}


@pytest.fixture(scope="module")
def view() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text())


def check(found: dict[str, Any], known: dict[str, Any], where: str) -> None:
    """Every property is one that RViz knows, with a value that it can read."""
    for name, value in found.items():
        assert name in known, f"{where}: no property '{name}'"
        kind = known[name]
        if isinstance(kind, dict):
            check(value, kind, f"{where}/{name}")
        elif isinstance(kind, type):
            assert isinstance(value, TYPES[kind]), f"{where}/{name}: {value!r}"
        elif kind is not None:
            assert value in kind, f"{where}/{name}: {value!r}"


def plugin(entry: dict[str, Any], package: str = "rviz_default_plugins") -> str:
    owner, name = entry["Class"].split("/")
    assert owner == package
    return name


def test_displays_tools_view_and_panels_are_rvizs(view: dict[str, Any]) -> None:
    manager = view["Visualization Manager"]
    for entry in manager["Displays"]:
        check(entry, COMMON | DISPLAYS[plugin(entry)], entry["Name"])
    for entry in manager["Tools"]:
        check(entry, {"Class": str} | TOOLS[plugin(entry)], entry["Class"])
    current = manager["Views"]["Current"]
    check(current, {"Class": str} | VIEWS[plugin(current)], "view")
    assert {plugin(panel, "rviz_common") for panel in view["Panels"]} <= PANELS
    known = {"Background Color": str, "Fixed Frame": str, "Frame Rate": int}
    check(manager["Global Options"], known, "Global Options")
    assert manager["Global Options"]["Fixed Frame"] == topics.BASE_FRAME
    names = [entry["Name"] for entry in manager["Displays"]]
    assert "Keypoints" in names and "Keypoints" in view["Window Geometry"]  # an image's pane goes by its display's name


def test_every_topic_of_the_view_is_the_graphs(view: dict[str, Any]) -> None:
    found = {}
    for entry in view["Visualization Manager"]["Displays"]:
        topic = entry.get("Topic") or entry.get("Description Topic")
        if topic:
            found[topic["Value"]] = topic["Durability Policy"]
    assert found == {topics.at_root(name): durability for name, durability in SUBSCRIBED.items()}


def test_workspace_goal_and_velocity_are_shown_and_can_be_hidden_one_by_one(view: dict[str, Any]) -> None:
    shown = markers(Time(), 0.04, np.array([0.5, 0.0, 0.15]), np.zeros(3), np.array([0.1, 0.0, 0.0]))
    (display,) = (entry for entry in view["Visualization Manager"]["Displays"] if "Namespaces" in entry)
    assert {marker.ns for marker in shown.markers} == set(display["Namespaces"]) == {"workspace", "goal", "velocity"}
    assert {marker.header.frame_id for marker in shown.markers} == {topics.BASE_FRAME}


def test_the_robot_is_whole_and_its_fingers_follow_the_joint_states() -> None:
    robot = ElementTree.fromstring(robot_description())
    for mesh in robot.iter("mesh"):
        assert Path(url2pathname(urlparse(mesh.get("filename")).path)).is_file()
    joints = {joint.get("name"): joint for joint in robot.iter("joint")}
    moving = {name for name, joint in joints.items() if joint.get("type") != "fixed" and joint.find("mimic") is None}
    message = robot_messages.joint_state(np.zeros(6), 0.05, Time())
    assert moving == set(message.name) and set(JOINT_NAMES) < moving
    for side in ("left", "right"):
        mimic = joints[f"{side}_finger_joint"].find("mimic")
        for opening in (0.0, 0.05, GRIPPER_STROKE):
            follows = float(mimic.get("multiplier")) * opening_to_knuckle(opening) + float(mimic.get("offset"))
            assert follows == pytest.approx(opening / 2, abs=1e-6)
    children = [joint.find("child").get("link") for joint in joints.values()]
    assert sorted([*children, "base_link"]) == sorted(link.get("name") for link in robot.iter("link"))

"""The robot's URDF for robot_state_publisher and RViz, made of the simulator's. Pure: no node.

Two things differ: meshes are addressed so that RViz finds them, and the fingers, which the simulator drives as two
sliding joints, follow the one joint that /joint_states carries.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from kprl.action import GRIPPER_JOINT, GRIPPER_STROKE, KNUCKLE_CLOSED
from kprl.sim.assets.make_urdf import FOLDER

URDF = FOLDER / "ur5_2f85.urdf"
PALM, KNUCKLE = "gripper_palm", "left_knuckle"
FINGERS = ("left_finger_joint", "right_finger_joint")
OPEN = GRIPPER_STROKE / 2  # [m] of each finger's joint where the gripper is open
PER_RADIAN = -OPEN / KNUCKLE_CLOSED  # [m/rad]


def robot_description(path: Path = URDF) -> str:
    """The URDF as text."""
    robot = ElementTree.parse(path).getroot()
    for mesh in robot.iter("mesh"):
        mesh.set("filename", (path.parent / mesh.get("filename", "")).resolve().as_uri())
    for joint in robot.iter("joint"):
        if joint.get("name") in FINGERS:
            follow = {"joint": GRIPPER_JOINT, "multiplier": f"{PER_RADIAN:.9f}", "offset": f"{OPEN:.9f}"}
            ElementTree.SubElement(joint, "mimic", follow)
    ElementTree.SubElement(robot, "link", name=KNUCKLE)  # of no shape: it carries the joint that is published
    knuckle = ElementTree.SubElement(robot, "joint", name=GRIPPER_JOINT, type="revolute")
    ElementTree.SubElement(knuckle, "parent", link=PALM)
    ElementTree.SubElement(knuckle, "child", link=KNUCKLE)
    ElementTree.SubElement(knuckle, "axis", xyz="0 0 1")
    ElementTree.SubElement(knuckle, "limit", lower="0", upper=f"{KNUCKLE_CLOSED}", effort="50", velocity="2")
    return ElementTree.tostring(robot, encoding="unicode")

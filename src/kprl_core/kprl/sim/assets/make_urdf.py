"""Writes ur5_2f85.urdf, prism8.obj and square.obj: the robot and its table, few triangles, from the parameters.

Run `python -m kprl.sim.assets.make_urdf` after changing `kprl.control.kinematics`; a test compares the result.
Rendering is the largest cost of a step, so limbs are eight-sided prisms and the rest are boxes; only what can
touch an object has a collision shape.
"""

from __future__ import annotations

import math
from pathlib import Path

from kprl.action import GRIPPER_STROKE
from kprl.control.kinematics import DH_A, DH_ALPHA, DH_D, JOINT_NAMES

FOLDER = Path(__file__).parent
TCP_OFFSET = 0.150  # [m] from tool0 to between the pads of the 2F-85
PAD_HALF = (0.011, 0.004, 0.019)  # [m] half sizes of a finger pad: across, thickness, along the tool
FINGER_HALF = (0.010, 0.006, 0.028)  # [m] the finger behind the pad
EFFORT = (150.0, 150.0, 150.0, 28.0, 28.0, 28.0)  # [Nm] of the UR5's joints
Vec = tuple[float, float, float]

# link: (kind, size, origin xyz, origin rpy); a prism's size is (diameter, diameter, length) along z.
_UP = (0.0, 0.0, 0.0)
_ALONG_X = (0.0, math.pi / 2, 0.0)
LIMBS: list[list[tuple[str, Vec, Vec, Vec]]] = [
    [("prism", (0.15, 0.15, 0.17), (0.0, 0.0, float(DH_D[0])), _UP)],
    [("prism", (0.11, 0.11, 0.47), (float(DH_A[1]) / 2, 0.0, 0.136), _ALONG_X)],
    [("prism", (0.085, 0.085, 0.44), (float(DH_A[2]) / 2, 0.0, 0.016), _ALONG_X)],
    [("prism", (0.08, 0.08, 0.13), (0.0, 0.0, 0.09), _UP)],
    [("prism", (0.08, 0.08, 0.12), (0.0, 0.0, 0.085), _UP)],
    [("prism", (0.075, 0.075, 0.05), (0.0, 0.0, 0.055), _UP)],
]
PALM: list[tuple[str, Vec, Vec, Vec]] = [
    ("prism", (0.075, 0.075, 0.07), (0.0, 0.0, 0.035), _UP),
    ("box", (0.05, 0.12, 0.025), (0.0, 0.0, 0.08), _UP),
]


def prism_obj(sides: int = 8) -> str:
    """Wavefront text of a prism of unit diameter and length, centred, along z."""
    ring = [(0.5 * math.cos(2 * math.pi * i / sides), 0.5 * math.sin(2 * math.pi * i / sides)) for i in range(sides)]
    lines = [f"v {x:.6f} {y:.6f} {z}" for z in (-0.5, 0.5) for x, y in ring]
    angles = [2 * math.pi * (i + 0.5) / sides for i in range(sides)]
    lines += [f"vn {math.cos(a):.6f} {math.sin(a):.6f} 0" for a in angles] + ["vn 0 0 -1", "vn 0 0 1"]
    for i in range(sides):
        a, b, n = i + 1, (i + 1) % sides + 1, i + 1
        lines += [f"f {a}//{n} {b}//{n} {b + sides}//{n}", f"f {a}//{n} {b + sides}//{n} {a + sides}//{n}"]
    for i in range(1, sides - 1):
        lines.append(f"f 1//{sides + 1} {i + 2}//{sides + 1} {i + 1}//{sides + 1}")
        lines.append(f"f {sides + 1}//{sides + 2} {sides + i + 1}//{sides + 2} {sides + i + 2}//{sides + 2}")
    return "\n".join(lines) + "\n"


def square_obj() -> str:
    """Wavefront text of a horizontal square of unit side, seen from above."""
    corners = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    return "".join(f"v {x} {y} 0\n" for x, y in corners) + "vn 0 0 1\nf 1//1 2//1 3//1\nf 1//1 3//1 4//1\n"


def _numbers(values: Vec) -> str:
    return " ".join(f"{value:.9g}" for value in values)


def _shape(tag: str, kind: str, size: Vec, xyz: Vec, rpy: Vec) -> str:
    if kind == "prism":
        geometry = f'<mesh filename="prism8.obj" scale="{_numbers(size)}"/>'
    else:
        geometry = f'<box size="{_numbers(size)}"/>'
    return f'    <{tag}><origin xyz="{_numbers(xyz)}" rpy="{_numbers(rpy)}"/><geometry>{geometry}</geometry></{tag}>\n'


def _link(name: str, mass: float, shapes: str) -> str:
    inertia = 0.01 * mass
    return (
        f'  <link name="{name}">\n    <inertial><mass value="{mass}"/><inertia ixx="{inertia:.6g}" ixy="0" ixz="0" '
        f'iyy="{inertia:.6g}" iyz="0" izz="{inertia:.6g}"/></inertial>\n{shapes}  </link>\n'
    )


def _joint(name: str, kind: str, parent: str, child: str, xyz: Vec, rpy: Vec, extra: str = "") -> str:
    return (
        f'  <joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="{_numbers(xyz)}" rpy="{_numbers(rpy)}"/>{extra}</joint>\n'
    )


def robot_urdf() -> str:
    """The UR5 with the 2F-85 as URDF text; the gripper is two prismatic fingers that close along y of `tool0`."""
    parts = ['<?xml version="1.0"?>\n<!-- Written by make_urdf.py: do not edit. -->\n<robot name="ur5_2f85">\n']
    parts.append(_link("base_link", 4.0, _shape("visual", "prism", (0.17, 0.17, 0.03), (0.0, 0.0, 0.015), _UP)))
    parts.append(_link("base", 0.1, ""))
    parts.append(_joint("base_link-base", "fixed", "base_link", "base", _UP, (0.0, 0.0, math.pi)))
    parent, xyz, rpy = "base", _UP, _UP
    for i, name in enumerate(JOINT_NAMES):
        link = name.replace("_joint", "_link")
        shapes = "".join(_shape("visual", *shape) for shape in LIMBS[i])
        limit = (
            f'<axis xyz="0 0 1"/><limit lower="-6.283185" upper="6.283185" effort="{EFFORT[i]}" velocity="3.141593"/>'
        )
        parts += [_link(link, 2.0 if i < 3 else 0.8, shapes), _joint(name, "revolute", parent, link, xyz, rpy, limit)]
        parent, xyz, rpy = link, (float(DH_A[i]), 0.0, float(DH_D[i])), (float(DH_ALPHA[i]), 0.0, 0.0)
    palm = "".join(_shape("visual", *shape) + _shape("collision", "box", *shape[1:]) for shape in PALM)
    parts += [_link("tool0", 0.1, ""), _joint("wrist_3-tool0", "fixed", parent, "tool0", xyz, rpy)]
    parts += [_link("gripper_palm", 0.6, palm), _joint("tool0-palm", "fixed", "tool0", "gripper_palm", _UP, _UP)]
    for side, turn in (("left", 0.0), ("right", math.pi)):
        parts.append(_finger(side, turn))
    parts += [_link("tcp", 0.01, ""), _joint("tool0-tcp", "fixed", "tool0", "tcp", (0.0, 0.0, TCP_OFFSET), _UP)]
    return "".join(parts) + "</robot>\n"


def _finger(side: str, turn: float) -> str:
    """One finger; its joint [m] is half of the opening, along +y of its own turned frame."""
    pad = ("box", tuple(2 * h for h in PAD_HALF), (0.0, PAD_HALF[1], TCP_OFFSET), _UP)
    back = ("box", tuple(2 * h for h in FINGER_HALF), (0.0, 2 * PAD_HALF[1] + FINGER_HALF[1], TCP_OFFSET - 0.022), _UP)
    knuckle = ("box", (0.018, 0.016, 0.045), (0.0, 2 * PAD_HALF[1] + 0.008, 0.102), _UP)
    shapes = "".join(_shape("visual", *shape) for shape in (pad, back, knuckle))  # type: ignore[arg-type]
    shapes += "".join(_shape("collision", *shape) for shape in (pad, back))  # type: ignore[arg-type]
    limit = f'<axis xyz="0 1 0"/><limit lower="0" upper="{GRIPPER_STROKE / 2}" effort="125" velocity="0.15"/>'
    return _link(f"{side}_finger", 0.1, shapes) + _joint(
        f"{side}_finger_joint", "prismatic", "gripper_palm", f"{side}_finger", _UP, (0.0, 0.0, turn), limit
    )


if __name__ == "__main__":
    (FOLDER / "prism8.obj").write_text(prism_obj())
    (FOLDER / "square.obj").write_text(square_obj())
    (FOLDER / "ur5_2f85.urdf").write_text(robot_urdf())

"""What RViz shows of the policy: the workspace, the goal, the commanded velocity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from kprl.control.limits import WORKSPACE
from kprl_ros.robot_messages import point, set_vector
from kprl_ros.topics import BASE_FRAME

SECONDS_AHEAD = 0.4  # [s] of travel that the arrow shows


def markers(
    stamp: Time,
    success_distance: float,
    goal: npt.NDArray[np.float64] | None,
    tcp: npt.NDArray[np.float64] | None,
    velocity: npt.NDArray[np.float64],
) -> MarkerArray:
    """Workspace box, goal sphere of `success_distance` [m], and an arrow from the tool along its velocity [m/s].

    Each has a namespace of its own, so that RViz can hide one of them.
    """
    box = _marker("workspace", Marker.CUBE, stamp, (0.3, 0.6, 1.0, 0.12))
    set_vector(box.pose.position, WORKSPACE.centre)
    set_vector(box.scale, np.array(WORKSPACE.upper) - np.array(WORKSPACE.lower))
    shown = [box]
    if goal is not None:
        sphere = _marker("goal", Marker.SPHERE, stamp, (0.2, 0.9, 0.3, 0.5))
        set_vector(sphere.pose.position, goal)
        set_vector(sphere.scale, [2 * success_distance] * 3)
        shown.append(sphere)
    if tcp is not None:
        arrow = _marker("velocity", Marker.ARROW, stamp, (1.0, 0.5, 0.1, 0.9))
        arrow.points = [point(tcp), point(tcp + SECONDS_AHEAD * velocity)]
        set_vector(arrow.scale, (0.008, 0.016, 0.0))  # shaft and head diameter [m]
        shown.append(arrow)
    return MarkerArray(markers=shown)


def _marker(name: str, kind: int, stamp: Time, rgba: tuple[float, float, float, float]) -> Marker:
    marker = Marker(ns=name, id=0, type=kind, action=Marker.ADD)
    marker.header.stamp, marker.header.frame_id = stamp, BASE_FRAME
    marker.color = ColorRGBA(r=rgba[0], g=rgba[1], b=rgba[2], a=rgba[3])
    marker.pose.orientation.w = 1.0
    return marker

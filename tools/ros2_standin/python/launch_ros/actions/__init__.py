"""Actions that the stand-in provides."""

from __future__ import annotations

from launch._standin.refusal import refuse_missing_names

from launch_ros.actions.node import Node
from launch_ros.actions.push_ros_namespace import PushROSNamespace, PushRosNamespace
from launch_ros.actions.set_parameter import SetParameter, SetParametersFromFile

__all__ = ["Node", "PushROSNamespace", "PushRosNamespace", "SetParameter", "SetParametersFromFile"]

__getattr__ = refuse_missing_names(__name__, __all__)

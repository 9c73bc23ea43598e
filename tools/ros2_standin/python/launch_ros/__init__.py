"""Stand-in for the ROS 2 package `launch_ros`: the part that this project's launch files use."""

from __future__ import annotations

from launch._standin.refusal import refuse_missing_names

from launch_ros import actions, descriptions, parameter_descriptions, substitutions

__all__ = ["actions", "descriptions", "parameter_descriptions", "substitutions"]

__getattr__ = refuse_missing_names(__name__, __all__)

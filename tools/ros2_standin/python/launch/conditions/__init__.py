"""Conditions that the stand-in provides."""

from __future__ import annotations

from launch._standin.refusal import refuse_missing_names
from launch.conditions.if_condition import IfCondition, UnlessCondition
from launch.conditions.launch_configuration_equals import (
    LaunchConfigurationEquals,
    LaunchConfigurationNotEquals,
)

__all__ = ["IfCondition", "LaunchConfigurationEquals", "LaunchConfigurationNotEquals", "UnlessCondition"]

__getattr__ = refuse_missing_names(__name__, __all__)

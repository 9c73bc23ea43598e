"""Descriptions that the stand-in provides."""

from __future__ import annotations

from launch._standin.refusal import refuse_missing_names

from launch_ros.parameter_descriptions import ParameterFile, ParameterValue

__all__ = ["ParameterFile", "ParameterValue"]

__getattr__ = refuse_missing_names(__name__, __all__)

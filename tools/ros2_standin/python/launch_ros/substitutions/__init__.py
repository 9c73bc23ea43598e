"""Substitutions that the stand-in provides."""

from __future__ import annotations

from launch._standin.refusal import refuse_missing_names

from launch_ros.substitutions.find_package import ExecutableInPackage, FindPackagePrefix, FindPackageShare

__all__ = ["ExecutableInPackage", "FindPackagePrefix", "FindPackageShare"]

__getattr__ = refuse_missing_names(__name__, __all__)

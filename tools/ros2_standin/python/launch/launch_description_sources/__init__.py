"""Sources of launch descriptions that the stand-in provides."""

from __future__ import annotations

from launch._standin.refusal import refuse_missing_names
from launch.launch_description_sources.python_launch_description_source import PythonLaunchDescriptionSource

__all__ = ["PythonLaunchDescriptionSource"]

__getattr__ = refuse_missing_names(__name__, __all__)

"""Events that the stand-in provides."""

from __future__ import annotations

from launch._standin.refusal import refuse_missing_names
from launch.events import process
from launch.events.shutdown import Shutdown

__all__ = ["Shutdown", "process"]

__getattr__ = refuse_missing_names(__name__, __all__)

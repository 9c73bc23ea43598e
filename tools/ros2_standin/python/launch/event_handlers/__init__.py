"""Event handlers that the stand-in provides."""

from __future__ import annotations

from launch._standin.refusal import refuse_missing_names
from launch.event_handlers.on_process import OnProcessExit, OnProcessStart
from launch.event_handlers.on_shutdown import OnShutdown

__all__ = ["OnProcessExit", "OnProcessStart", "OnShutdown"]

__getattr__ = refuse_missing_names(__name__, __all__)

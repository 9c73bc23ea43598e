"""Reaction to the end of the launch."""

from __future__ import annotations

from launch.event_handler import Reaction, ReactionHandler
from launch.events.shutdown import Shutdown


class OnShutdown(ReactionHandler):
    """Runs `on_shutdown` when the launch begins to stop."""

    def __init__(self, *, on_shutdown: Reaction, handle_once: bool = False) -> None:
        super().__init__(
            matcher=lambda event: isinstance(event, Shutdown), reaction=on_shutdown, handle_once=handle_once
        )

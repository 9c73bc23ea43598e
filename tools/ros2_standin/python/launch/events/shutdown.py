"""The event that ends a launch."""

from __future__ import annotations

from launch.event import Event


class Shutdown(Event):
    """The launch is to stop all its processes and end."""

    name = "launch.events.Shutdown"

    def __init__(self, *, reason: str = "reason not given", due_to_sigint: bool = False) -> None:
        self.reason = reason
        self.due_to_sigint = due_to_sigint

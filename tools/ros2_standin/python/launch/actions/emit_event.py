"""Emitting events, the end of the launch among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import launch.logging
from launch import events
from launch.action import Action
from launch.event import Event
from launch.events.process import ProcessExited

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class EmitEvent(Action):
    """Emits an event."""

    def __init__(self, *, event: Event, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(event, Event):
            raise TypeError(f"EmitEvent needs an event, got {event!r}")
        self.event = event

    def execute(self, context: LaunchContext) -> None:
        cause = context.get_locals_as_dict().get("event")
        if isinstance(self.event, events.Shutdown) and isinstance(cause, ProcessExited):
            if not context.is_shutdown:
                self._note_required_process(context, cause)
        context.emit_event_sync(self.event)

    @staticmethod
    def _note_required_process(context: LaunchContext, cause: ProcessExited) -> None:
        """A process whose end ends the launch decides the launch's exit code."""
        launch.logging.get_logger("launch").info(
            "process[%s] was required: shutting down launched system", cause.process_name
        )
        if cause.returncode != 0:
            context._required_process_failed = True


class Shutdown(EmitEvent):
    """Stops all processes, then the launch."""

    def __init__(self, *, reason: str = "reason not given", **kwargs: Any) -> None:
        super().__init__(event=events.Shutdown(reason=reason), **kwargs)

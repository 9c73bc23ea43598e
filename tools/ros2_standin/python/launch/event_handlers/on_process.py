"""Reactions to the start and the end of processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from launch.event import Event
from launch.event_handler import Reaction, ReactionHandler
from launch.events.process import ProcessExited, ProcessStarted

if TYPE_CHECKING:
    pass

Target = "Action | Callable[[Action], bool] | None"


def _match(event_type: type, target: Target) -> Callable[[Event], bool]:
    from launch.actions.execute_process import ExecuteProcess

    if target is not None and not isinstance(target, ExecuteProcess) and not callable(target):
        raise TypeError(f"target_action must be a process action, a callable or None, got {target!r}")

    def matches(event: Event) -> bool:
        if not isinstance(event, event_type):
            return False
        if target is None or event.action is target:
            return True
        return callable(target) and bool(target(event.action))

    return matches


class OnProcessExit(ReactionHandler):
    """Runs `on_exit` when a process ends: that of `target_action`, or any."""

    def __init__(self, *, target_action: Target = None, on_exit: Reaction, handle_once: bool = False) -> None:
        matcher = _match(ProcessExited, target_action)
        super().__init__(matcher=matcher, reaction=on_exit, handle_once=handle_once)


class OnProcessStart(ReactionHandler):
    """Runs `on_start` when a process started: that of `target_action`, or any."""

    def __init__(self, *, target_action: Target = None, on_start: Reaction, handle_once: bool = False) -> None:
        matcher = _match(ProcessStarted, target_action)
        super().__init__(matcher=matcher, reaction=on_start, handle_once=handle_once)

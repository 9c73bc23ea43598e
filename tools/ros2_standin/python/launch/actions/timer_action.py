"""Actions after some time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.event import Event
from launch.event_handler import EventHandler
from launch.event_handlers.on_shutdown import OnShutdown
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.utilities import _expand

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class _TimeIsUp(Event):
    def __init__(self, *, timer: TimerAction, values: dict[str, Any]) -> None:
        self.timer = timer
        self.values = values


class _RestoreLocals(LaunchDescriptionEntity):
    """What was current when the timer was set is current for its actions."""

    def __init__(self, *, values: dict[str, Any]) -> None:
        self._values = values

    def visit(self, context: LaunchContext) -> None:
        context._locals = self._values


class TimerAction(Action):
    """Visits `actions` once, `period` seconds later, unless it is cancelled or the launch ends before."""

    def __init__(
        self,
        *,
        period: float | SomeSubstitutionsType,
        actions: Iterable[LaunchDescriptionEntity],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.period = period
        self.actions = list(actions)
        self._cancelled = asyncio.Event()

    def cancel(self) -> None:
        """Do not visit the actions."""
        self._cancelled.set()

    def describe_conditional_sub_entities(self) -> list[tuple[str, list[LaunchDescriptionEntity]]]:
        return [(f"{self.period} seconds passed", self.actions)]

    def execute(self, context: LaunchContext) -> None:
        is_text = isinstance(self.period, str | Substitution | list | tuple)
        seconds = float(_expand(context, self.period) if is_text else self.period)  # type: ignore[arg-type]
        if context.is_shutdown or self._cancelled.is_set():
            return
        values = context.get_locals_as_dict()
        entities = [_RestoreLocals(values=values), *self.actions]
        context.register_event_handler(
            EventHandler(
                matcher=lambda event: isinstance(event, _TimeIsUp) and event.timer is self,
                entities=entities,
                handle_once=True,
            )
        )
        context.register_event_handler(OnShutdown(on_shutdown=lambda event, context: self.cancel()))
        context._start(self._wait(context, seconds, values))

    async def _wait(self, context: LaunchContext, seconds: float, values: dict[str, Any]) -> None:
        try:
            await asyncio.wait_for(self._cancelled.wait(), seconds)
        except TimeoutError:
            context.emit_event_sync(_TimeIsUp(timer=self, values=values))

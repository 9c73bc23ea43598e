"""What to do when an event happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from launch._standin.refusal import StrictKeywords
from launch.event import Event
from launch.launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

Entities = LaunchDescriptionEntity | Iterable[LaunchDescriptionEntity] | None
Reaction = Entities | Callable[[Event, "LaunchContext"], Entities]


def as_entities(entities: Entities) -> list[LaunchDescriptionEntity]:
    """A list from one entity, several, or None."""
    if entities is None:
        return []
    found = [entities] if isinstance(entities, LaunchDescriptionEntity) else list(entities)
    for entity in found:
        if entity is not None and not isinstance(entity, LaunchDescriptionEntity):
            raise TypeError(f"an event handler may give actions only, got {entity!r}")
    return [entity for entity in found if entity is not None]


class BaseEventHandler(metaclass=StrictKeywords):
    """Yields actions for the events that its matcher accepts."""

    def __init__(self, *, matcher: Callable[[Event], bool], handle_once: bool = False) -> None:
        self._matcher = matcher
        self.handle_once = handle_once

    def matches(self, event: Event) -> bool:
        """Whether this handler is for the event."""
        return self._matcher(event)

    def handle(self, event: Event, context: LaunchContext) -> Entities:
        """Actions to run; derived classes call this first."""
        context.extend_locals({"event": event})
        if self.handle_once:
            context.unregister_event_handler(self)
        return None

    def fixed_entities(self) -> list[LaunchDescriptionEntity]:
        """The actions that are known before any event, for `--show-args`."""
        return []


class EventHandler(BaseEventHandler):
    """Yields the same actions for every matching event."""

    def __init__(
        self, *, matcher: Callable[[Event], bool], entities: Entities = None, handle_once: bool = False
    ) -> None:
        super().__init__(matcher=matcher, handle_once=handle_once)
        self.entities = entities

    def handle(self, event: Event, context: LaunchContext) -> Entities:
        super().handle(event, context)
        return self.entities

    def fixed_entities(self) -> list[LaunchDescriptionEntity]:
        return as_entities(self.entities)


class ReactionHandler(BaseEventHandler):
    """Runs a fixed reaction, or asks a callable `(event, context)` for it."""

    def __init__(self, *, reaction: Reaction, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._reaction = reaction if callable(reaction) else as_entities(reaction)

    def handle(self, event: Event, context: LaunchContext) -> Entities:
        super().handle(event, context)
        return self._reaction(event, context) if callable(self._reaction) else self._reaction

    def fixed_entities(self) -> list[LaunchDescriptionEntity]:
        return [] if callable(self._reaction) else as_entities(self._reaction)

"""Base of the actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from launch.condition import Condition
from launch.launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class Action(LaunchDescriptionEntity):
    """Something to do, where its condition allows."""

    def __init__(self, *, condition: Condition | None = None) -> None:
        self.condition = condition

    def execute(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        """Do it; may give further entities to visit."""
        return None

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Entities that executing the action will give, as far as known beforehand."""
        return []

    def visit(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        if self.condition is None or self.condition.evaluate(context):
            return self.execute(context)
        return None

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return self.get_sub_entities() if self.condition is None else []

    def describe_conditional_sub_entities(self) -> list[tuple[str, list[LaunchDescriptionEntity]]]:
        return [] if self.condition is None else [("condition holds", self.get_sub_entities())]

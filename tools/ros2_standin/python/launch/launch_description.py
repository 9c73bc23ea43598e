"""What a launch file returns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from launch.actions.declare_launch_argument import DeclareLaunchArgument
from launch.launch_description_entity import LaunchDescriptionEntity

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class LaunchDescription(LaunchDescriptionEntity):
    """A list of entities, visited in order."""

    def __init__(self, initial_entities: Iterable[LaunchDescriptionEntity] | None = None) -> None:
        self.entities = list(initial_entities or [])
        for entity in self.entities:
            if not isinstance(entity, LaunchDescriptionEntity):
                raise TypeError(f"a LaunchDescription holds actions only, got {entity!r}")

    def visit(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        return self.entities

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return self.entities

    def add_action(self, action: LaunchDescriptionEntity) -> None:
        """Append an action."""
        self.entities.append(action)

    add_entity = add_action

    def get_launch_arguments(self, conditional_inclusion: bool = False) -> list[DeclareLaunchArgument]:
        """Arguments declared here and in what is included, as far as known before the launch runs."""
        found: dict[str, DeclareLaunchArgument] = {}

        def collect(entities: Iterable[LaunchDescriptionEntity], conditional: bool) -> None:
            for entity in entities:
                if isinstance(entity, DeclareLaunchArgument) and entity.name not in found:
                    entity._conditionally_included = conditional or entity.condition is not None
                    found[entity.name] = entity
                collect(entity.describe_sub_entities(), conditional)
                for _, inner in entity.describe_conditional_sub_entities():
                    collect(inner, True)

        collect(self.entities, conditional_inclusion)
        return list(found.values())

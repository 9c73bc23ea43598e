"""Base of all that a launch description consists of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from launch._standin.refusal import StrictKeywords

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class LaunchDescriptionEntity(metaclass=StrictKeywords):
    """Something that a launch visits, in the order of the description, depth first."""

    def visit(self, context: LaunchContext) -> Iterable[LaunchDescriptionEntity] | None:
        """Do the work and give the entities to visit next."""
        return None

    def describe_sub_entities(self) -> list[LaunchDescriptionEntity]:
        """Entities that will be visited after this one, as far as known before the launch runs."""
        return []

    def describe_conditional_sub_entities(self) -> list[tuple[str, list[LaunchDescriptionEntity]]]:
        """Entities that are visited only in some case, each list with a name for the case."""
        return []

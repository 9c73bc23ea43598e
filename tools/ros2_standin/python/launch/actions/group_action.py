"""Actions in a scope of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import _expand

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class _PopScope(LaunchDescriptionEntity):
    def visit(self, context: LaunchContext) -> None:
        context._pop_scope()


class GroupAction(Action):
    """Runs actions; with `scoped`, configurations and environment are afterwards as they were before."""

    def __init__(
        self,
        actions: Iterable[LaunchDescriptionEntity],
        *,
        scoped: bool = True,
        launch_configurations: Mapping[Any, SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._actions = list(actions)
        self._scoped = scoped
        self._configurations = dict(launch_configurations or {})

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return self._actions

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        if self._scoped:
            context._push_scope()
        values = {_expand(context, name): _expand(context, v) for name, v in self._configurations.items()}
        context.launch_configurations.update(values)
        return [*self._actions, _PopScope()] if self._scoped else self._actions

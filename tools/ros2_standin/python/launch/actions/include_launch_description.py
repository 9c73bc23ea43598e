"""Another launch file in this one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.launch_description_source import LaunchDescriptionSource
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import _expand

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class _LeaveLaunchFile(LaunchDescriptionEntity):
    """Makes the including file the current one again."""

    def __init__(self, *, previous: dict[str, Any]) -> None:
        self._previous = previous

    def visit(self, context: LaunchContext) -> None:
        context.extend_locals(self._previous)


class IncludeLaunchDescription(Action):
    """Visits another launch file; its arguments become launch configurations, and stay set."""

    def __init__(
        self,
        launch_description_source: LaunchDescriptionSource | SomeSubstitutionsType,
        *,
        launch_arguments: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(launch_description_source, LaunchDescriptionSource):
            launch_description_source = PythonLaunchDescriptionSource(launch_description_source)
        self.launch_description_source = launch_description_source
        self.launch_arguments = tuple(launch_arguments or ())

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        description = self.launch_description_source.try_get_launch_description_without_context()
        return [] if description is None else [description]

    def execute(self, context: LaunchContext) -> list[LaunchDescriptionEntity]:
        description = self.launch_description_source.get_launch_description(context)
        keys = ("current_launch_file_path", "current_launch_file_directory")
        known = context.get_locals_as_dict()
        previous = {key: known[key] for key in keys if key in known}
        path = os.path.abspath(self.launch_description_source.location)
        # Argument values belong to the including file, so they are worked out before it is left.
        values = {_expand(context, name): _expand(context, value) for name, value in self.launch_arguments}
        context.launch_configurations.update(values)
        context.extend_locals(dict(zip(keys, (path, os.path.dirname(path)), strict=True)))
        return [description, _LeaveLaunchFile(previous=previous)]

"""Launch configurations set by a launch file itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import _expand, normalize_to_list_of_substitutions

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class SetLaunchConfiguration(Action):
    """Sets a launch configuration, in the current scope."""

    def __init__(self, name: SomeSubstitutionsType, value: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = normalize_to_list_of_substitutions(name)
        self.value = normalize_to_list_of_substitutions(value)

    def execute(self, context: LaunchContext) -> None:
        context.launch_configurations[_expand(context, self.name)] = _expand(context, self.value)

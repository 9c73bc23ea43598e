"""Parameters for all nodes that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import _expand, normalize_to_list_of_substitutions

from launch_ros._standin_parameters import evaluate_parameters

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


def _add(context: LaunchContext, parameter: tuple[str, Any] | str) -> None:
    """Append to a new list, so that the surrounding scope keeps its own."""
    values = context.launch_configurations
    values["global_params"] = [*values.get("global_params", []), parameter]


class SetParameter(Action):
    """Sets a parameter in every node of the current scope."""

    def __init__(self, name: SomeSubstitutionsType, value: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = normalize_to_list_of_substitutions(name)
        self.value = value

    def execute(self, context: LaunchContext) -> None:
        name = _expand(context, self.name)
        for parameter in evaluate_parameters(context, {name: self.value}).items():
            _add(context, parameter)


class SetParametersFromFile(Action):
    """Passes a parameter file to every node of the current scope."""

    def __init__(self, filename: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filename = normalize_to_list_of_substitutions(filename)

    def execute(self, context: LaunchContext) -> None:
        _add(context, _expand(context, self.filename))

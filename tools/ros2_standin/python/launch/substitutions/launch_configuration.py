"""The value of a launch argument or launch configuration."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions.substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class LaunchConfiguration(Substitution):
    """The value of a launch configuration, or a default where it is not set."""

    def __init__(self, variable_name: SomeSubstitutionsType, *, default: Any = None) -> None:
        from launch.utilities import normalize_to_list_of_substitutions

        self.variable_name = normalize_to_list_of_substitutions(variable_name)
        self._default: list[Substitution] | None = None
        if default is not None:
            many = isinstance(default, Iterable) and not isinstance(default, str)
            items = default if many else [default]
            self._default = normalize_to_list_of_substitutions(
                [item if isinstance(item, str | Substitution) else str(item) for item in items]
            )

    def describe(self) -> str:
        from launch.utilities import _describe

        return f"LaunchConfig({_describe(self.variable_name)})"

    def perform(self, context: LaunchContext) -> str:
        from launch.utilities import perform_substitutions

        name = perform_substitutions(context, self.variable_name)
        known = context.launch_configurations
        if name in known:
            return known[name]
        if self._default is not None:
            return perform_substitutions(context, self._default)
        close = difflib.get_close_matches(name, list(known), n=1)
        hint = f"; did you mean '{close[0]}'?" if close else "; declare it with DeclareLaunchArgument"
        raise SubstitutionFailure(f"launch configuration '{name}' does not exist{hint}")

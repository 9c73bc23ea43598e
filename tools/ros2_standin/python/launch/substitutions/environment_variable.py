"""The value of an environment variable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions.substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class EnvironmentVariable(Substitution):
    """An environment variable of the launch, or a default where it is not set."""

    def __init__(self, name: SomeSubstitutionsType, *, default_value: SomeSubstitutionsType | None = None) -> None:
        from launch.utilities import normalize_to_list_of_substitutions

        self.name = normalize_to_list_of_substitutions(name)
        self.default_value = None if default_value is None else normalize_to_list_of_substitutions(default_value)

    def describe(self) -> str:
        from launch.utilities import _describe

        return f"EnvVar({_describe(self.name)})"

    def perform(self, context: LaunchContext) -> str:
        from launch.utilities import perform_substitutions

        name = perform_substitutions(context, self.name)
        if name in context.environment:
            return context.environment[name]
        if self.default_value is None:
            raise SubstitutionFailure(f"environment variable '{name}' is not set and has no default_value")
        return perform_substitutions(context, self.default_value)

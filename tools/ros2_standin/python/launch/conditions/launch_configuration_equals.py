"""Conditions on the value of one launch configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.condition import Condition
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import _expand

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class LaunchConfigurationEquals(Condition):
    """True where the configuration has the expected text; None expects it not to be set."""

    def __init__(self, launch_configuration_name: str, expected_value: SomeSubstitutionsType | None) -> None:
        self._name = launch_configuration_name
        self._expected = expected_value
        super().__init__(predicate=self._decide)

    def _decide(self, context: LaunchContext) -> bool:
        expected = None if self._expected is None else _expand(context, self._expected)
        return context.launch_configurations.get(self._name) == expected


class LaunchConfigurationNotEquals(LaunchConfigurationEquals):
    """True where `LaunchConfigurationEquals` is false."""

    def _decide(self, context: LaunchContext) -> bool:
        return not super()._decide(context)

"""Conditions on text that is true, false, 1 or 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.condition import Condition
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import _to_bool, normalize_to_list_of_substitutions, perform_substitutions

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class IfCondition(Condition):
    """True where the expression's text is true or 1; an error where it is no boolean."""

    def __init__(self, predicate_expression: SomeSubstitutionsType) -> None:
        self._expression = normalize_to_list_of_substitutions(predicate_expression)
        super().__init__(predicate=self._decide)

    def _decide(self, context: LaunchContext) -> bool:
        return _to_bool(perform_substitutions(context, self._expression))


class UnlessCondition(IfCondition):
    """True where the expression's text is false or 0."""

    def _decide(self, context: LaunchContext) -> bool:
        return not super()._decide(context)

"""One of two values, by a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions.boolean_substitution import _truth

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class IfElseSubstitution(Substitution):
    """`if_value` where the condition is true, else `else_value`."""

    def __init__(
        self,
        condition: SomeSubstitutionsType,
        if_value: SomeSubstitutionsType = "",
        else_value: SomeSubstitutionsType = "",
    ) -> None:
        from launch.utilities import normalize_to_list_of_substitutions

        if if_value == else_value == "":
            raise RuntimeError("IfElseSubstitution needs if_value or else_value")
        self.condition = normalize_to_list_of_substitutions(condition)
        self.if_value = normalize_to_list_of_substitutions(if_value)
        self.else_value = normalize_to_list_of_substitutions(else_value)

    def describe(self) -> str:
        from launch.utilities import _describe

        parts = (_describe(part) for part in (self.condition, self.if_value, self.else_value))
        return f"IfElseSubstitution({', '.join(parts)})"

    def perform(self, context: LaunchContext) -> str:
        from launch.utilities import perform_substitutions

        chosen = self.if_value if _truth(context, self.condition) else self.else_value
        return perform_substitutions(context, chosen)

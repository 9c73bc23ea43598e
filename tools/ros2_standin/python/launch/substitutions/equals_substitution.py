"""Comparison of two values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from launch.substitution import Substitution

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


def _as_text(value: Any) -> Any:
    """Plain values as the text that launch configurations would hold."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    is_text = isinstance(value, str | Substitution | list | tuple)
    return value if is_text else str(value)


def _same(left: str, right: str) -> bool:
    """Equal as booleans where both are, else as numbers where both are, else as text."""
    from launch.utilities import _to_bool

    for convert in (_to_bool, float):
        try:
            first, second = convert(left), convert(right)
        except ValueError:
            continue
        return math.isclose(first, second)
    return left == right


class EqualsSubstitution(Substitution):
    """`true` where both sides are equal."""

    def __init__(self, left: Any, right: Any) -> None:
        from launch.utilities import normalize_to_list_of_substitutions

        self.left = normalize_to_list_of_substitutions(_as_text(left))
        self.right = normalize_to_list_of_substitutions(_as_text(right))

    def describe(self) -> str:
        from launch.utilities import _describe

        return f"{type(self).__name__}({_describe(self.left)} {_describe(self.right)})"

    def _equal(self, context: LaunchContext) -> bool:
        from launch.utilities import perform_substitutions

        return _same(perform_substitutions(context, self.left), perform_substitutions(context, self.right))

    def perform(self, context: LaunchContext) -> str:
        return str(self._equal(context)).lower()


class NotEqualsSubstitution(EqualsSubstitution):
    """`true` where the sides differ."""

    def perform(self, context: LaunchContext) -> str:
        return str(not self._equal(context)).lower()

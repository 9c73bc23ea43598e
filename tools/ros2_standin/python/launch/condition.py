"""Base of the conditions of actions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from launch._standin.refusal import StrictKeywords

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class Condition(metaclass=StrictKeywords):
    """A predicate on the launch context."""

    def __init__(self, *, predicate: Callable[[LaunchContext], bool]) -> None:
        self._predicate = predicate

    def evaluate(self, context: LaunchContext) -> bool:
        """Whether the action shall run."""
        return self._predicate(context)

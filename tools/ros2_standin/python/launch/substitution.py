"""Base of everything in a launch file whose text is known only when the launch runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch._standin.refusal import StrictKeywords

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class Substitution(metaclass=StrictKeywords):
    """Text that is worked out from a launch context."""

    def describe(self) -> str:
        """What `ros2 launch --show-args` prints for it."""
        return type(self).__name__

    def perform(self, context: LaunchContext) -> str:
        """The text, given the context of the running launch."""
        raise NotImplementedError(f"{type(self).__name__} does not implement perform()")

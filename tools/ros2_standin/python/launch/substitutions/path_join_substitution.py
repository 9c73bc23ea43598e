"""A path from its parts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from launch.substitution import Substitution

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class PathJoinSubstitution(Substitution):
    """Parts joined with the path separator."""

    def __init__(self, substitutions: Iterable[str | Substitution]) -> None:
        from launch.utilities import normalize_to_list_of_substitutions

        self.substitutions = normalize_to_list_of_substitutions(substitutions)

    def describe(self) -> str:
        from launch.utilities import _describe

        return f"PathJoin('{_describe(self.substitutions)}')"

    def perform(self, context: LaunchContext) -> str:
        return os.path.join(*(part.perform(context) for part in self.substitutions))

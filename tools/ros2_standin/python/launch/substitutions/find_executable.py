"""The path of a program on the search path."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions.substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class FindExecutable(Substitution):
    """Full path of a program found on PATH."""

    def __init__(self, *, name: SomeSubstitutionsType) -> None:
        from launch.utilities import normalize_to_list_of_substitutions

        self.name = normalize_to_list_of_substitutions(name)

    def describe(self) -> str:
        from launch.utilities import _describe

        return f"FindExec({_describe(self.name)})"

    def perform(self, context: LaunchContext) -> str:
        from launch.utilities import perform_substitutions

        name = perform_substitutions(context, self.name)
        found = shutil.which(name, path=context.environment.get("PATH"))
        if found is None:
            raise SubstitutionFailure(f"executable '{name}' is not on PATH")
        return found

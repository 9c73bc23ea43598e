"""Where the launch file that is being read lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch.substitution import Substitution
from launch.substitutions.substitution_failure import SubstitutionFailure

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


def _local(context: LaunchContext, key: str, substitution: Substitution) -> str:
    known = context.get_locals_as_dict()
    if key not in known:
        raise SubstitutionFailure(f"{substitution.describe()} has a value only inside a launch file")
    return known[key]


class ThisLaunchFile(Substitution):
    """Absolute path of the current launch file."""

    def describe(self) -> str:
        return "ThisLaunchFile()"

    def perform(self, context: LaunchContext) -> str:
        return _local(context, "current_launch_file_path", self)


class ThisLaunchFileDir(Substitution):
    """Absolute path of the folder of the current launch file."""

    def describe(self) -> str:
        return "ThisLaunchFileDir()"

    def perform(self, context: LaunchContext) -> str:
        return _local(context, "current_launch_file_directory", self)

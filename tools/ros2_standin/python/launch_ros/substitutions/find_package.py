"""Folders and programs of ROS packages, found through the ament index."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ament_index_python.packages import get_package_prefix, get_package_share_directory
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitution import Substitution
from launch.substitutions import SubstitutionFailure
from launch.utilities import _describe, _expand, normalize_to_list_of_substitutions

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class _FindPackage(Substitution):
    def __init__(self, package: SomeSubstitutionsType) -> None:
        self.package = normalize_to_list_of_substitutions(package)

    def describe(self) -> str:
        return f"{type(self).__name__}(pkg={_describe(self.package)})"

    def find(self, package_name: str) -> str:
        raise NotImplementedError(type(self).__name__)

    def perform(self, context: LaunchContext) -> str:
        return self.find(_expand(context, self.package))


class FindPackagePrefix(_FindPackage):
    """Install prefix of a package."""

    def find(self, package_name: str) -> str:
        return get_package_prefix(package_name)


class FindPackageShare(_FindPackage):
    """Share folder of a package."""

    def find(self, package_name: str) -> str:
        return get_package_share_directory(package_name)


class ExecutableInPackage(FindPackagePrefix):
    """Path of a program in `lib/<package>` of the package's prefix."""

    def __init__(self, executable: SomeSubstitutionsType, package: SomeSubstitutionsType) -> None:
        super().__init__(package)
        self.executable = normalize_to_list_of_substitutions(executable)

    def describe(self) -> str:
        return f"ExecInPkg(pkg={_describe(self.package)}, exec={_describe(self.executable)})"

    def perform(self, context: LaunchContext) -> str:
        package = _expand(context, self.package)
        name = _expand(context, self.executable)
        folder = os.path.join(self.find(package), "lib", package)
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
        there = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
        raise SubstitutionFailure(
            f"package '{package}' has no executable '{name}'; it has: {', '.join(there) or 'none'}"
        )

"""Launch descriptions from Python launch files."""

from __future__ import annotations

import os
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from typing import TYPE_CHECKING

from launch._standin.refusal import Unsupported
from launch.launch_description_source import LaunchDescriptionSource
from launch.some_substitutions_type import SomeSubstitutionsType

if TYPE_CHECKING:
    from launch.launch_description import LaunchDescription


class PythonLaunchDescriptionSource(LaunchDescriptionSource):
    """A `.launch.py` file with a function `generate_launch_description()`."""

    def __init__(self, launch_file_path: SomeSubstitutionsType) -> None:
        super().__init__(None, launch_file_path)

    def _load(self, path: str) -> LaunchDescription:
        from launch.launch_description import LaunchDescription

        if not os.path.isfile(path):
            raise FileNotFoundError(f"launch file '{path}' does not exist")
        if not path.endswith(".py"):
            raise Unsupported(f"the launch file '{os.path.basename(path)}'", __package__, ["*.launch.py"])
        loader = SourceFileLoader("python_launch_file", path)
        spec = spec_from_loader(loader.name, loader)
        assert spec is not None  # spec_from_loader gives None only for loaders without a module
        module = module_from_spec(spec)
        loader.exec_module(module)
        if not hasattr(module, "generate_launch_description"):
            raise RuntimeError(f"launch file '{path}' lacks the function generate_launch_description()")
        description = module.generate_launch_description()
        if not isinstance(description, LaunchDescription):
            raise RuntimeError(
                f"generate_launch_description() of '{path}' must return a LaunchDescription, "
                f"got {type(description).__name__}"
            )
        return description

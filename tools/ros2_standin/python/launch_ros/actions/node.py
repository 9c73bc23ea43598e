"""A ROS node as an action."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import launch.logging
import yaml
from launch.actions import ExecuteProcess
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import _expand

from launch_ros._standin_names import check_node_name, join_namespaces
from launch_ros._standin_parameters import evaluate_parameters
from launch_ros.parameter_descriptions import ParameterFile
from launch_ros.substitutions import ExecutableInPackage

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

EVERY_NODE = "/**"
"""The key of parameter files that applies to nodes of any name."""


class Node(ExecuteProcess):
    """Runs a node of a package with a name, namespace, parameters and remappings.

    Parameters are dictionaries and paths of YAML files; where several set the same one the last wins.
    """

    def __init__(
        self,
        *,
        executable: SomeSubstitutionsType,
        package: SomeSubstitutionsType | None = None,
        name: SomeSubstitutionsType | None = None,
        namespace: SomeSubstitutionsType | None = None,
        exec_name: SomeSubstitutionsType | None = None,
        parameters: Iterable[Any] | None = None,
        remappings: Iterable[tuple[SomeSubstitutionsType, SomeSubstitutionsType]] | None = None,
        ros_arguments: Iterable[SomeSubstitutionsType] | None = None,
        arguments: Iterable[SomeSubstitutionsType] | None = None,
        **kwargs: Any,
    ) -> None:
        program = executable if package is None else ExecutableInPackage(executable, package)
        cmd = [program, *(arguments or ())]
        if ros_arguments is not None:
            cmd += ["--ros-args", *ros_arguments]
        super().__init__(cmd=cmd, name=exec_name, **kwargs)
        if isinstance(parameters, str | Mapping):
            raise TypeError(f"Node: parameters must be a list of dictionaries and paths, got {parameters!r}")
        self._node_name = name
        self._namespace = namespace
        self._parameters = list(parameters or ())
        self._remappings = list(remappings or ())

    def final_command(self, context: LaunchContext) -> list[str]:
        name = None if self._node_name is None else check_node_name(_expand(context, self._node_name))
        inner = None if self._namespace is None else _expand(context, self._namespace)
        namespace = join_namespaces(context.launch_configurations.get("ros_namespace"), inner)
        command = [*super().final_command(context), "--ros-args"]
        if name is not None:
            command += ["-r", f"__node:={name}"]
        if namespace is not None:
            command += ["-r", f"__ns:={namespace}"]
        for parameter in context.launch_configurations.get("global_params", []):
            if isinstance(parameter, tuple):
                command += ["-p", f"{parameter[0]}:={parameter[1]}"]
            else:
                command += self._file_arguments(parameter)
        full_name = f"{namespace.rstrip('/')}/{name}" if namespace and name else EVERY_NODE
        for parameters in self._parameters:
            command += self._parameter_arguments(context, parameters, full_name)
        for source, target in self._remappings:
            command += ["-r", f"{_expand(context, source)}:={_expand(context, target)}"]
        return command

    def _parameter_arguments(self, context: LaunchContext, parameters: Any, full_name: str) -> list[str]:
        if isinstance(parameters, Mapping):
            values = evaluate_parameters(context, parameters)
            return self._file_arguments(_write_parameters(context, values, full_name))
        if not isinstance(parameters, ParameterFile):
            parameters = ParameterFile(parameters)
        return self._file_arguments(parameters.evaluate(context))

    @staticmethod
    def _file_arguments(path: str) -> list[str]:
        if not os.path.isfile(path):
            raise FileNotFoundError(f"parameter file '{path}' does not exist")
        return ["--params-file", path]


def _write_parameters(context: LaunchContext, values: dict[str, Any], full_name: str) -> str:
    """A parameter file for one node, kept until the launch ends."""
    folder = context._folder_for_files()
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".yaml", delete=False) as file:
        yaml.safe_dump({full_name: {"ros__parameters": values}}, file)
    launch.logging.get_logger("launch").debug("parameters of %s: %s", full_name, values)
    return file.name

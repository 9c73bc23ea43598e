"""What the launch files share: nodes with their configuration, stages, required nodes, one line for a user's fault."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushROSNamespace

from kprl.errors import KprlError
from kprl_ros.launch_security import security

Entities = list[Any]
Argument = tuple[str | None, str, list[str] | None]  # default (None: must be given), description, choices
WHOLE_LIMIT = 2**31
NAMESPACE = re.compile(r"/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")
NAMESPACE_ARGUMENT: Argument = ("", "put before all names of the graph, for a second robot beside it", None)


def config_folder() -> Path:
    """The installed config/."""
    return _installed("config")


def bundle_folder(given: str, task: str, scene: str, object: str = "") -> Path:
    """The folder of the bundle that was given or, if none was, that ships for the task and the scene (empty: env1).

    Where one ships for the object there, `models/TASK-SCENE-OBJECT`, it is that one.

    Errors: `KprlError` where none ships.
    """
    if given:
        return Path(given).expanduser().absolute()
    shipped = _installed("models") / f"{task}-{scene or 'env1'}"
    own = shipped.with_name(f"{shipped.name}-{object}")
    if object and own.is_dir():
        return own
    if not shipped.is_dir():
        raise KprlError(f"no bundle ships for task {task}, scene {scene or 'env1'}: give one with bundle:=PATH")
    return shipped


def _installed(folder: str) -> Path:
    return Path(get_package_share_directory("kprl_bringup")) / folder


def launch_description(
    arguments: Mapping[str, Argument], plan: Callable[[dict[str, str]], Entities]
) -> LaunchDescription:
    """A launch with these arguments that starts what `plan(values)` returns, given the arguments' values.

    Where there is an argument `namespace`, all nodes and their topics and services go below it; where there is one
    `security`, all have the identity of that keystore. A KprlError of the plan becomes the exception that launch prints
    as one line and ends with.
    """

    def start(context: Any) -> Entities:
        try:
            values = {name: LaunchConfiguration(name).perform(context) for name in arguments}
            namespace = namespace_of(values)
            below = [PushROSNamespace(namespace)] if namespace else []
            return [*security(values.get("security", ""), namespace), *below, *plan(values)]
        except KprlError as error:
            raise RuntimeError(str(error)) from None

    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description, choices=choices)
        for name, (default, description, choices) in arguments.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def namespace_of(values: Mapping[str, str]) -> str:
    """The value of the argument `namespace`. Errors: `KprlError` where it is no name."""
    namespace = values.get("namespace", "")
    if namespace and not NAMESPACE.fullmatch(namespace):
        raise KprlError(f"namespace is '{namespace}': expected letters, digits and '_', no digit first, as in left")
    return namespace


def whole_number(name: str, text: str) -> int:
    """The value of a launch argument that must be a whole number from 0 on."""
    if not text.isdigit() or int(text) >= WHOLE_LIMIT:
        raise KprlError(f"{name} is '{text}': expected a whole number from 0 to {WHOLE_LIMIT - 1}")
    return int(text)


def configured_node(
    package: str, name: str, parameters: dict[str, Any], executable: str = "", arguments: Sequence[str] = ()
) -> Node:
    """A node with config/<name>.yaml, overridden by `parameters`; `executable` where that has another name."""
    files = [str(config_folder() / f"{name}.yaml"), parameters]
    return Node(
        package=package,
        executable=executable or name,
        name=name,
        arguments=list(arguments),
        parameters=files,
        output="screen",
    )


def stage(process: Any, what: str, then: Callable[[], Entities]) -> Entities:
    """Run a process; go on with `then()` when it ends well, else end the launch with an error."""

    def on_exit(event: Any, context: Any) -> Entities | None:
        if context.is_shutdown:
            return None
        if event.returncode != 0:
            raise RuntimeError(f"{what} failed with exit code {event.returncode}: see its message above")
        return then()

    return [RegisterEventHandler(OnProcessExit(target_action=process, on_exit=on_exit)), process]


def last_stage(process: Any, what: str) -> Entities:
    """The process whose good end is the good end of the launch."""
    return stage(process, what, lambda: [EmitEvent(event=Shutdown(reason=f"{what} is done"))])


def required(node: Any) -> Entities:
    """A node without which the graph is of no use: its end, good or bad, ends the launch with an error."""

    def on_exit(event: Any, context: Any) -> None:
        if not context.is_shutdown:
            raise RuntimeError(
                f"{event.process_name} ended with exit code {event.returncode}: see its message above"
            )

    return [RegisterEventHandler(OnProcessExit(target_action=node, on_exit=on_exit)), node]

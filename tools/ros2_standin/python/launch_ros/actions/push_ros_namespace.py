"""A namespace for the nodes that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from launch.action import Action
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.utilities import _expand, normalize_to_list_of_substitutions

from launch_ros._standin_names import join_namespaces

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext


class PushROSNamespace(Action):
    """Puts the nodes of the current scope below a namespace."""

    def __init__(self, namespace: SomeSubstitutionsType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.namespace = normalize_to_list_of_substitutions(namespace)

    def execute(self, context: LaunchContext) -> None:
        outer = context.launch_configurations.get("ros_namespace")
        pushed = join_namespaces(outer, _expand(context, self.namespace))
        context.launch_configurations["ros_namespace"] = pushed


PushRosNamespace = PushROSNamespace

"""`ros2 param get NODE PARAMETER`."""

from __future__ import annotations

from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python

from ros2_standin.errors import CommandError, OneLineParser
from ros2_standin.graph.call import call_node
from ros2_standin.graph.session import looking_node


def run(arguments: list[str]) -> int:
    """Print the value of a node's parameter."""
    parser = OneLineParser("ros2 param get")
    parser.add_argument("node", metavar="NODE")
    parser.add_argument("parameter", metavar="PARAMETER")
    options = parser.parse_args(arguments)
    request = GetParameters.Request(names=[options.parameter])
    with looking_node() as node:
        response = call_node(node, options.node, "get_parameters", GetParameters, request)
    value = parameter_value_to_python(response.values[0]) if response.values else None
    if value is None:
        raise CommandError(f"node '{options.node}' has no parameter '{options.parameter}'", 1)
    print(value)
    return 0

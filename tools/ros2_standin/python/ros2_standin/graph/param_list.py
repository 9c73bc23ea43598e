"""`ros2 param list NODE`."""

from __future__ import annotations

from rcl_interfaces.srv import ListParameters

from ros2_standin.errors import OneLineParser
from ros2_standin.graph.call import call_node
from ros2_standin.graph.session import looking_node


def run(arguments: list[str]) -> int:
    """Print the names of a node's parameters."""
    parser = OneLineParser("ros2 param list")
    parser.add_argument("node", metavar="NODE")
    options = parser.parse_args(arguments)
    with looking_node() as node:
        response = call_node(node, options.node, "list_parameters", ListParameters, ListParameters.Request())
    print("\n".join(sorted(response.result.names)))
    return 0

"""`ros2 node list`."""

from __future__ import annotations

from ros2_standin.errors import OneLineParser
from ros2_standin.graph.session import HIDDEN, discover, looking_node


def run(arguments: list[str]) -> int:
    """Print the full names of the nodes."""
    OneLineParser("ros2 node list").parse_args(arguments)
    with looking_node() as node:
        discover(node)
        nodes = node.get_node_names_and_namespaces()
    for name, namespace in sorted(nodes, key=lambda pair: (pair[1], pair[0])):
        if not name.startswith(HIDDEN):
            print(f"{namespace.rstrip('/')}/{name}")
    return 0

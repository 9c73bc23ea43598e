"""`ros2 topic list [-t]`."""

from __future__ import annotations

from ros2_standin.errors import OneLineParser
from ros2_standin.graph.session import discover, looking_node


def run(arguments: list[str]) -> int:
    """Print the topics, with `-t` their types."""
    parser = OneLineParser("ros2 topic list")
    parser.add_argument("-t", "--show-types", action="store_true", help="print types too")
    options = parser.parse_args(arguments)
    with looking_node() as node:
        discover(node)
        topics = sorted(node.get_topic_names_and_types())
    for name, types in topics:
        print(f"{name} [{', '.join(types)}]" if options.show_types else name)
    return 0

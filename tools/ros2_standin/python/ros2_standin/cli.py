"""Dispatch of `ros2 VERB …` to the commands that the stand-in has."""

from __future__ import annotations

import importlib
import sys

from ros2_standin.errors import CommandError
from ros2_standin.handover import hand_over_to_real_ros2

COMMANDS = {
    ("launch",): "ros2_standin.launch_command",
    ("run",): "ros2_standin.run_command",
    ("node", "list"): "ros2_standin.graph.node_list",
    ("param", "get"): "ros2_standin.graph.param_get",
    ("param", "list"): "ros2_standin.graph.param_list",
    ("service", "call"): "ros2_standin.graph.service_call",
    ("topic", "echo"): "ros2_standin.graph.topic_echo",
    ("topic", "hz"): "ros2_standin.graph.topic_hz",
    ("topic", "list"): "ros2_standin.graph.topic_list",
}
"""Words of a command and the module whose `run(arguments)` returns its exit code."""

EXIT_USAGE = 2


def provided() -> str:
    """The commands, for messages."""
    return ", ".join(" ".join(words) for words in COMMANDS)


def main(argv: list[str]) -> int:
    """Run one command; errors become one line on standard error and a non-zero exit code."""
    try:
        hand_over_to_real_ros2(argv)
    except CommandError as error:
        print(f"ros2: {error}", file=sys.stderr)
        return error.exit_code
    if not argv or argv[0] in ("-h", "--help"):
        print(f"ros2 stand-in for machines without a ROS 2 distribution; it provides: {provided()}")
        return 0
    words = next((words for words in COMMANDS if tuple(argv[: len(words)]) == words), None)
    if words is None:
        asked = " ".join(word for word in argv[:2] if not word.startswith("-"))
        print(
            f"ros2 {asked}: not in the ros2 stand-in; it provides: {provided()}; "
            "install a ROS 2 distribution for the rest",
            file=sys.stderr,
        )
        return EXIT_USAGE
    try:
        return importlib.import_module(COMMANDS[words]).run(argv[len(words) :])
    except CommandError as error:
        print(f"ros2 {' '.join(words)}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `| head` has read enough
        sys.stderr.close()
        return 0

"""`ros2 topic echo TOPIC [--once]`."""

from __future__ import annotations

import time
from typing import Any

import rclpy

from ros2_standin.errors import CommandError, OneLineParser
from ros2_standin.graph.message_yaml import to_yaml
from ros2_standin.graph.session import looking_node
from ros2_standin.graph.subscription import subscribe

DEFAULT_TIMEOUT_S = 30.0
_SPIN_S = 0.1


def run(arguments: list[str]) -> int:
    """Print messages as YAML documents until Ctrl-C, with `--once` only the first."""
    parser = OneLineParser("ros2 topic echo")
    parser.add_argument("topic")
    parser.add_argument("--once", action="store_true", help="print one message and exit")
    parser.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT_S, help="wait this long [s]")
    options = parser.parse_args(arguments)
    received = 0

    def show(message: Any) -> None:
        nonlocal received
        received += 1
        if received == 1 or not options.once:
            print(f"{to_yaml(message)}---", flush=True)

    with looking_node() as node:
        deadline = time.monotonic() + options.timeout
        subscribe(node, options.topic, show, options.timeout, raw=False)
        while not (options.once and received):
            rclpy.spin_once(node, timeout_sec=_SPIN_S)
            if not received and time.monotonic() > deadline:
                raise CommandError(f"no message on '{options.topic}' within {options.timeout:g} s", 1)
    return 0

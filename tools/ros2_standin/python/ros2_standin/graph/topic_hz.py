"""`ros2 topic hz TOPIC`."""

from __future__ import annotations

import statistics
import time
from collections import deque
from typing import Any

import rclpy

from ros2_standin.errors import OneLineParser
from ros2_standin.graph.session import looking_node
from ros2_standin.graph.subscription import subscribe

DEFAULT_TIMEOUT_S = 30.0
DEFAULT_WINDOW = 10000
REPORT_PERIOD_S = 1.0


def summary(arrivals: list[float]) -> str:
    """Rate and spread of arrival times [s]."""
    periods = [later - earlier for earlier, later in zip(arrivals, arrivals[1:], strict=False)]
    return (
        f"average rate: {1.0 / statistics.fmean(periods):.3f}\n"
        f"\tmin: {min(periods):.3f}s max: {max(periods):.3f}s "
        f"std dev: {statistics.pstdev(periods):.5f}s window: {len(arrivals)}"
    )


def run(arguments: list[str]) -> int:
    """Print the rate of a topic every second until Ctrl-C."""
    parser = OneLineParser("ros2 topic hz")
    parser.add_argument("topic")
    parser.add_argument("-w", "--window", type=int, default=DEFAULT_WINDOW, help="messages to average")
    parser.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT_S, help="wait for a publisher [s]")
    options = parser.parse_args(arguments)
    arrivals: deque[float] = deque(maxlen=options.window)

    def note(_: Any) -> None:
        arrivals.append(time.monotonic())

    with looking_node() as node:
        subscribe(node, options.topic, note, options.timeout, raw=True)
        while True:
            report_at = time.monotonic() + REPORT_PERIOD_S
            before = len(arrivals), arrivals[-1] if arrivals else 0.0
            while time.monotonic() < report_at:
                rclpy.spin_once(node, timeout_sec=max(0.0, report_at - time.monotonic()))
            if (len(arrivals), arrivals[-1] if arrivals else 0.0) == before:
                print("no new messages", flush=True)
            elif len(arrivals) > 1:
                print(summary(list(arrivals)), flush=True)

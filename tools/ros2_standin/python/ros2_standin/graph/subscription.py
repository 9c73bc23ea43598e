"""Subscribing to a topic whose type and publishers are found in the graph."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from ros2_standin.errors import CommandError
from ros2_standin.graph.session import interface

DEPTH = 50
_POLL_S = 0.05


def subscribe(node: Node, topic: str, callback: Callable[[Any], None], timeout_s: float, raw: bool) -> None:
    """Subscribe as soon as the topic has a publisher, with a quality of service that fits all of them.

    Raises:
        CommandError: no publisher within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    warned = False
    while not (publishers := node.get_publishers_info_by_topic(topic)):
        if time.monotonic() > deadline:
            raise CommandError(f"topic '{topic}' had no publisher within {timeout_s:g} s", exit_code=1)
        if not warned and time.monotonic() > deadline - timeout_s + 2.0:
            print(f"waiting for a publisher of '{topic}', at most {timeout_s:g} s", file=sys.stderr)
            warned = True
        rclpy.spin_once(node, timeout_sec=_POLL_S)
    reliable = all(p.qos_profile.reliability == ReliabilityPolicy.RELIABLE for p in publishers)
    latched = all(p.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in publishers)
    qos = QoSProfile(
        depth=DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
    node.create_subscription(interface(publishers[0].topic_type, "msg"), topic, callback, qos, raw=raw)

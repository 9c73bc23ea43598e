"""Calling one of a node's own services."""

from __future__ import annotations

from typing import Any

import rclpy
from rclpy.node import Node

from ros2_standin.errors import CommandError

TIMEOUT_S = 10.0


def call_node(node: Node, target: str, service_name: str, service: type, request: Any) -> Any:
    """Response of the service `service_name` of the node `target`.

    Raises:
        CommandError: no such node, or no answer in time.
    """
    client = node.create_client(service, f"/{target.strip('/')}/{service_name}")
    if not client.wait_for_service(TIMEOUT_S):
        raise CommandError(f"node '{target}' not found within {TIMEOUT_S:g} s", 1)
    future = client.call_async(request)
    rclpy.spin_until_future_complete(node, future, timeout_sec=TIMEOUT_S)
    if not future.done():
        raise CommandError(f"node '{target}' did not answer within {TIMEOUT_S:g} s", 1)
    return future.result()

"""A short-lived node that looks at the graph, and message types by name."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import time
from collections.abc import Iterator

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ros2_standin.errors import CommandError

DISCOVERY_MIN_S = 1.5
DISCOVERY_MAX_S = 6.0
_QUIET_S = 0.5
_POLL_S = 0.05
HIDDEN = "_ros2cli_"
"""Names of the looking nodes begin so; lists leave them out."""


@contextlib.contextmanager
def looking_node() -> Iterator[Node]:
    """A node without services or parameters of its own."""
    # Python's own signal handling: rclpy's pulls the context away in the middle of a spin, which then fails at random.
    rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a script inherits that it is ignored
    signal.signal(signal.SIGTERM, _leave)
    try:
        node = Node(f"{HIDDEN}{os.getpid()}", start_parameter_services=False, enable_rosout=False)
        try:
            yield node
        finally:
            node.destroy_node()
    finally:
        rclpy.try_shutdown()


def _leave(number: int, _: object) -> None:
    raise SystemExit(128 + number)


def discover(node: Node) -> None:
    """Wait until other nodes are seen and the graph has not changed for a while.

    It takes at least `DISCOVERY_MIN_S` and, where there seems to be nobody, `DISCOVERY_MAX_S`.
    """
    start = changed_at = time.monotonic()
    seen: object = None
    while True:
        now = time.monotonic()
        graph = (node.get_topic_names_and_types(), sorted(node.get_node_names_and_namespaces()))
        if graph != seen:
            seen, changed_at = graph, now
        alone = all(name.startswith(HIDDEN) for name, _ in graph[1])
        settled = not alone and now - changed_at > _QUIET_S and now - start > DISCOVERY_MIN_S
        if settled or now - start > DISCOVERY_MAX_S:
            return
        time.sleep(_POLL_S)


def interface(type_name: str, kind: str) -> type:
    """Class of a type such as `std_msgs/msg/String`; `kind` is msg or srv and may be left out of it.

    Raises:
        CommandError: there is no such type here.
    """
    package, *middle, name = type_name.split("/")
    if not package or middle not in ([], [kind]):
        raise CommandError(f"'{type_name}' is no type; expected PACKAGE/{kind}/NAME")
    try:
        return getattr(importlib.import_module(f"{package}.{kind}"), name)
    except (ImportError, AttributeError) as error:
        raise CommandError(f"type '{type_name}' is not installed here ({error})") from error

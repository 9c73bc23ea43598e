"""What a node counts and how it feels, on /diagnostics once a second of wall time."""

from __future__ import annotations

from collections import Counter

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from kprl_ros.topics import DIAGNOSTICS, STREAM

PERIOD = 1.0  # [s]
WARNING_PERIOD = 5.0  # [s] between two lines in the log


class Diagnostics:
    """Counters of a node; `refuse` counts a fault, and warns of it in the log now and then."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.counts: Counter[str] = Counter()
        self.values: dict[str, str] = {}  # what is no count
        self.fault = ""  # what is wrong until it is mended: the node says so in the log itself, once
        self._refusals = 0
        self._reason = ""
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._warned = -WARNING_PERIOD
        self._publisher = node.create_publisher(DiagnosticArray, DIAGNOSTICS, STREAM)
        node.create_timer(PERIOD, self._publish, clock=self._steady)

    def refuse(self, kind: str, reason: str) -> None:
        """Count something that the node did not accept, under `kind`, with the reason in one line."""
        self.counts[kind] += 1
        self._refusals += 1
        self._reason = reason
        now = self._steady.now().nanoseconds * 1e-9
        if now - self._warned >= WARNING_PERIOD:
            self._warned = now
            self._node.get_logger().warning(reason)

    def _publish(self) -> None:
        status = DiagnosticStatus(name=self._node.get_fully_qualified_name(), hardware_id="kprl")
        status.level = DiagnosticStatus.WARN if self._refusals else DiagnosticStatus.OK
        status.message = self._reason if self._refusals else "ok"
        if self.fault:
            status.level, status.message = DiagnosticStatus.ERROR, self.fault
        values = self.values | {key: str(value) for key, value in self.counts.items()}
        status.values = [KeyValue(key=key, value=value) for key, value in sorted(values.items())]
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
        self._refusals = 0  # the level is that of the last second

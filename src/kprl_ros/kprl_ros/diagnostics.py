"""What a node counts and how it feels, on /diagnostics once a second of wall time."""

from __future__ import annotations

from collections import Counter

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from kprl_ros.stamps import NANOSECONDS
from kprl_ros.topics import DIAGNOSTICS, STREAM
from kprl_ros.traffic import StampCounter, Traffic

PERIOD = 1.0  # [s]
WARNING_PERIOD = 5.0  # [s] between two lines in the log
OTHER_CLOCK = 60.0  # [s] of latency from which on a stamp is taken for one of another clock
RATE, LATENCY_MEAN, LATENCY_MAX, LAST_ERROR = "rate [Hz]", "latency mean [ms]", "latency max [ms]", "last error"
CONFIDENCE_MEAN, CONFIDENCE_LEAST = "confidence mean", "confidence least"


class Diagnostics:
    """Counters of a node; `refuse` counts a fault, and warns of it in the log now and then.

    A node that answers a stream says what it `takes`, for example "images": each that it `passes` on makes the rate,
    the latency and, by its stamp, the count of the ones that are missing, here "images dropped".
    """

    def __init__(self, node: Node, takes: str = "") -> None:
        self._node, self._takes = node, takes
        self.counts: Counter[str] = Counter()
        self.values: dict[str, str] = {}  # what is no count
        self.fault = ""  # what is wrong until it is mended: the node says so in the log itself, once
        self._traffic, self._stamps = Traffic(), StampCounter()
        self._refusals = 0
        self._reason = self._last_error = ""
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._warned = -WARNING_PERIOD
        self._publisher = node.create_publisher(DiagnosticArray, DIAGNOSTICS, STREAM)
        node.create_timer(PERIOD, self._publish, clock=self._steady)

    def refuse(self, kind: str, reason: str) -> None:
        """Count something that the node did not accept, under `kind`, with the reason in one line."""
        self.counts[kind] += 1
        self._refusals += 1
        self._reason = self._last_error = reason
        now = self._now()
        if now - self._warned >= WARNING_PERIOD:
            self._warned = now
            self._node.get_logger().warning(reason)

    def passes(self, stamp: int, latency: float | None = None) -> None:
        """What was taken in with this `stamp` [ns] is answered, after `latency` [s] if that is not since the stamp."""
        since = (self._node.get_clock().now().nanoseconds - stamp) / NANOSECONDS if latency is None else latency
        # A stamp of simulated time says nothing to a node that does not follow /clock.
        known = since if 0.0 <= since < OTHER_CLOCK else None
        self._traffic.publish(self._stamps.number(stamp), known, self._now())

    def restart(self) -> None:
        """The stream was stopped and begins anew: what did not come meanwhile was not dropped."""
        self._traffic.restart()

    def _flow(self) -> dict[str, str]:
        now = self._now()
        mean, greatest = self._traffic.latency(now)
        return {
            RATE: f"{self._traffic.rate(now):.1f}",
            LATENCY_MEAN: f"{1000 * mean:.1f}",
            LATENCY_MAX: f"{1000 * greatest:.1f}",
            f"{self._takes} dropped": str(self._traffic.dropped),
        }

    def _publish(self) -> None:
        status = DiagnosticStatus(name=self._node.get_fully_qualified_name(), hardware_id="kprl")
        status.level = DiagnosticStatus.WARN if self._refusals else DiagnosticStatus.OK
        status.message = self._reason if self._refusals else "ok"
        if self.fault:
            status.level, status.message = DiagnosticStatus.ERROR, self.fault
            self._last_error = self.fault
        values = {LAST_ERROR: self._last_error} | (self._flow() if self._takes else {}) | self.values
        values |= {key: str(value) for key, value in self.counts.items()}
        status.values = [KeyValue(key=key, value=value) for key, value in sorted(values.items())]
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)
        self._refusals = 0  # the level is that of the last second

    def _now(self) -> float:
        """Steady time [s]."""
        return self._steady.now().nanoseconds / NANOSECONDS

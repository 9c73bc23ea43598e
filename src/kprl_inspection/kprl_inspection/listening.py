"""Subscriptions that fit whoever publishes: a camera may offer best effort, and who asks for more hears nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

from kprl_ros import topics

LOOK_PERIOD = 0.5  # [s] between two looks at what is offered
LATCHED = (topics.GOAL, topics.ROBOT_STATUS)
# What their publishers offer is a user's choice: subscribed to only when it is known, lest they warn of a misfit.
CAMERA = (topics.IMAGE, topics.CAMERA_INFO)
QUEUE = 100  # messages that the middleware keeps while a callback runs


@dataclass(frozen=True)
class Quality:
    """Of a subscription; `latched`: who comes late gets the last message."""

    reliable: bool = True
    latched: bool = False

    def profile(self, depth: int) -> QoSProfile:
        """In ROS's words."""
        return QoSProfile(
            depth=depth,
            reliability=QoSReliabilityPolicy.RELIABLE if self.reliable else QoSReliabilityPolicy.BEST_EFFORT,
            durability=QoSDurabilityPolicy.TRANSIENT_LOCAL if self.latched else QoSDurabilityPolicy.VOLATILE,
        )


def fitting(wanted: Quality, offered: Sequence[QoSProfile]) -> Quality:
    """The most of `wanted` that every publisher offers."""
    return Quality(
        wanted.reliable and all(one.reliability != QoSReliabilityPolicy.BEST_EFFORT for one in offered),
        wanted.latched and all(one.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL for one in offered),
    )


class Listener:
    """Calls `take(topic, message)`, the message as bytes where it is to be `raw`."""

    def __init__(
        self, node: Node, kinds: Mapping[str, type], take: Callable[[str, Any], None], raw: bool = False
    ) -> None:
        self.qualities: dict[str, Quality] = {}  # of what is subscribed to
        self._node, self._kinds, self._take, self._raw = node, kinds, take, raw
        for topic in kinds:
            if topic not in CAMERA:
                self._subscribe(topic, Quality(latched=topic in LATCHED))
        node.create_timer(LOOK_PERIOD, self._look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _subscribe(self, topic: str, quality: Quality) -> None:
        self.qualities[topic] = quality

        def hear(message: Any) -> None:
            # An older subscription stays: rclpy's EventsExecutor may crash where one is destroyed (ros2/rclpy#1644).
            if self.qualities[topic] is quality:
                self._take(topic, message)

        kind, offered = self._kinds[topic], quality.profile(QUEUE)
        # What is offered is looked at here, so nothing needs to be said of what does not fit.
        silent = SubscriptionEventCallbacks(use_default_callbacks=False)
        self._node.create_subscription(kind, topic, hear, offered, event_callbacks=silent, raw=self._raw)

    def _look(self) -> None:
        for topic in self._kinds:
            infos = self._node.get_publishers_info_by_topic(self._node.resolve_topic_name(topic))
            quality = self.qualities.get(topic)
            fits = fitting(quality or Quality(), [info.qos_profile for info in infos])
            if infos and fits != quality:
                self._subscribe(topic, fits)

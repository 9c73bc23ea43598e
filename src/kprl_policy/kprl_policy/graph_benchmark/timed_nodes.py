"""The keypoint node and the policy node as they are, with a clock at their ears and mouths.

`python -m kprl_policy.graph_benchmark.timed_nodes keypoint_node|policy_node LOG --ros-args …`: LOG is written when the
node is told to stop. Between the clocks nothing but the nodes' own code runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from kprl.files import write_json
from kprl_keypoints.keypoint_node import KeypointNode
from kprl_policy.graph_benchmark.measures import Handled
from kprl_policy.policy_node import PolicyNode
from kprl_ros.shell import run
from kprl_ros.stamps import to_nanoseconds


class _Log:
    """What was handled, in memory until the end."""

    def __init__(self, path: Path) -> None:
        self._path, self._entries = path, []  # type: ignore[var-annotated]

    def add(self, stamp: int, begun: int, done: int) -> None:
        self._entries.append((stamp, begun, done))

    def write(self) -> None:
        write_json(self._path, {"handled": self._entries})


class TimedKeypointNode(KeypointNode):
    """From the image's arrival to its keypoints' publication; the overlay, which is drawn after it, is not in it."""

    def __init__(self, path: Path) -> None:
        self._log, self._begun = _Log(path), 0
        super().__init__()

    def _on_image(self, message: Any) -> None:
        self._begun = self.get_clock().now().nanoseconds
        super()._on_image(message)

    def _count(self, image: Any, confidence: Any) -> None:
        self._log.add(to_nanoseconds(image.header.stamp), self._begun, self.get_clock().now().nanoseconds)
        super()._count(image, confidence)

    def destroy_node(self) -> None:
        """Write the log with the node."""
        self._log.write()
        super().destroy_node()


class TimedPolicyNode(PolicyNode):
    """From the keypoints' arrival to both commands' publication."""

    def __init__(self, path: Path) -> None:
        self._log, self._begun = _Log(path), 0
        super().__init__()

    def _on_change(self, topic: str) -> None:
        self._begun = self.get_clock().now().nanoseconds
        super()._on_change(topic)

    def _act(self, parts: Any) -> None:
        super()._act(parts)
        self._log.add(parts.keypoints_stamp, self._begun, self.get_clock().now().nanoseconds)

    def destroy_node(self) -> None:
        """Write the log with the node."""
        self._log.write()
        super().destroy_node()


NODES = {"keypoint_node": TimedKeypointNode, "policy_node": TimedPolicyNode}


def read_log(content: dict[str, Any]) -> list[Handled]:
    """The entries of a log."""
    return [Handled(*entry) for entry in content["handled"]]


def main() -> None:
    """Entry point."""
    kind, path = sys.argv[1], Path(sys.argv[2])
    sys.exit(run(lambda: NODES[kind](path)))


if __name__ == "__main__":
    main()

"""The bare echo: a node that sends each image back as it is. `python -m kprl_policy.graph_benchmark.echo`."""

from __future__ import annotations

import sys

from rclpy.node import Node
from sensor_msgs.msg import Image

from kprl_ros import topics
from kprl_ros.shell import run
from kprl_ros.topics import NEWEST

ECHO = "bench/echo"


class Echo(Node):
    """Image in, the same image out: what transport and Python cost without us."""

    def __init__(self) -> None:
        super().__init__("echo")
        self._out = self.create_publisher(Image, ECHO, NEWEST)
        self.create_subscription(Image, topics.IMAGE, self._out.publish, NEWEST)


if __name__ == "__main__":
    sys.exit(run(Echo))

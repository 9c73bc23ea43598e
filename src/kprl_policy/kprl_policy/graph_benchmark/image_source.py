"""A camera that is none: prepared 640 x 480 pictures at 30 Hz, sent as a camera node sends them, stamped then."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from kprl.envs.world import World
from kprl.preprocess import IMAGE_SIZE, Intrinsics
from kprl_policy.graph_benchmark.measures import Published
from kprl_ros import camera_messages, topics
from kprl_ros.stamps import to_stamp
from kprl_ros.topics import STREAM

WIDTH, HEIGHT, RATE = 640, 480, 30.0  # [px], [px], [Hz] as a D435 has them by default
FOCAL = 385.0  # [px] of a D435's infrared camera at this size
PICTURES = 8  # different ones, in turn


def pictures(seed: int = 0) -> list[npt.NDArray[np.uint8]]:
    """Views of the simulated world, (HEIGHT, WIDTH) uint8: enlarged and in the middle."""
    world = World("grasp", "env1", "cube")
    try:
        return [_enlarge(world.reset(seed + number).image) for number in range(PICTURES)]
    finally:
        world.close()


def _enlarge(view: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    scale = HEIGHT // IMAGE_SIZE
    whole = np.full((HEIGHT, WIDTH), int(view.mean()), np.uint8)
    top, left = (HEIGHT - scale * IMAGE_SIZE) // 2, (WIDTH - scale * IMAGE_SIZE) // 2
    size = scale * IMAGE_SIZE
    whole[top : top + size, left : left + size] = view.repeat(scale, 0).repeat(scale, 1)
    return whole


class ImageSource:
    """Publishes from the moment it is made; `published` grows."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pictures = pictures()
        self._info = camera_messages.camera_info(Intrinsics(FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT))
        self.published: list[Published] = []
        self._images = node.create_publisher(Image, topics.IMAGE, STREAM)
        self._infos = node.create_publisher(CameraInfo, topics.CAMERA_INFO, STREAM)
        self._timer = node.create_timer(1.0 / RATE, self._shoot, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """No more images."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_publisher(self._images)
        self._node.destroy_publisher(self._infos)

    def _shoot(self) -> None:
        grey = self._pictures[len(self.published) % PICTURES]
        now = self._node.get_clock().now().nanoseconds
        stamp = to_stamp(now)
        self._info.header.stamp = stamp
        self._images.publish(camera_messages.grey_image(grey, stamp))
        self._infos.publish(self._info)
        self.published.append(Published(now, self._node.get_clock().now().nanoseconds))

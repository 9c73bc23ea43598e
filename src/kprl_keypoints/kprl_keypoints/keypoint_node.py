"""The keypoint node: an image in, its keypoints out; the overlay image only for those who look."""

from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
from kprl_interfaces.msg import KeypointArray
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image

from kprl.bundle import keypoints_of
from kprl.errors import KprlError
from kprl.keypoints.encoder import load_keypoint_encoder
from kprl.keypoints.overlay import draw_keypoints
from kprl.preprocess import Intrinsics, keypoints_to_image, preprocess, require_visible
from kprl_keypoints.repeats import Repeats
from kprl_ros import camera_messages, topics
from kprl_ros.diagnostics import CONFIDENCE_LEAST, CONFIDENCE_MEAN, Diagnostics
from kprl_ros.keypoint_messages import keypoint_array
from kprl_ros.parameters import declare, declare_path
from kprl_ros.shell import run
from kprl_ros.silence import LOOK_PERIOD, Silence
from kprl_ros.stamps import to_nanoseconds
from kprl_ros.topics import NEWEST, STREAM

OVERLAY_WIDTH = 640  # [px] beyond which no image is enlarged
SILENCE_HINT = "is the camera node or the sim bridge running, with the same ROS_DOMAIN_ID?"


def overlay_scale(wanted: int, width: int) -> int:
    """How much an image of this width [px] is enlarged: a camera's own size must not become megabytes to draw."""
    return max(1, min(wanted, OVERLAY_WIDTH // width))


class KeypointNode(Node):
    """Message to array, preprocess, encode, array to message."""

    def __init__(self) -> None:
        super().__init__("keypoint_node")
        model = keypoints_of(declare_path(self, "model", "the folder of a keypoint model or of a bundle"))
        self._overlay_period = declare(
            self, "overlay_period", 0.1, "least time [s] between two overlay images", (0.0, 60.0)
        )
        self._overlay_scale = declare(
            self, "overlay_scale", 5, f"enlargement of the overlay image, as far as it stays within {OVERLAY_WIDTH} px",
            (1, 20),
        )  # fmt: skip
        self._repeats = Repeats(
            declare(self, "most_repeats", 0, "times that an image may come again; 0: any, as simulated do", (0, 1000))
        )
        self._encoder = load_keypoint_encoder(model)
        self._diagnostics = Diagnostics(self, takes="images")
        self._camera: Intrinsics | None = None
        self._waiting: Image | None = None  # came before the first camera_info
        self._silence = Silence([topics.IMAGE], self.resolve_topic_name)
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._overlay_due = 0.0  # [s] steady
        self._keypoints = self.create_publisher(KeypointArray, topics.KEYPOINTS, STREAM)
        self._overlay = self.create_publisher(Image, topics.OVERLAY, NEWEST)
        self.create_subscription(CameraInfo, topics.CAMERA_INFO, self._on_camera_info, NEWEST)
        # A queue of one: where images come faster than they can be encoded, the newest wins.
        self.create_subscription(Image, topics.IMAGE, self._on_image, NEWEST)
        self.create_timer(LOOK_PERIOD, self._look_for_silence, clock=self._steady)
        self.get_logger().info(f"{self._encoder.num_keypoints} keypoints from {model}")

    def _on_camera_info(self, message: CameraInfo) -> None:
        try:
            self._camera = camera_messages.intrinsics(message)
        except KprlError as error:
            self._diagnostics.refuse("camera infos refused", str(error))
            return
        if self._waiting is not None:
            image, self._waiting = self._waiting, None
            self._on_image(image)

    def _look_for_silence(self) -> None:
        if self.count_publishers(topics.CLOCK):
            self._silence.restart()  # in lockstep the world, and with it the camera, rests while nobody acts
            return
        absent = self._silence.absent()
        if absent:
            self._diagnostics.refuse("waiting", self._silence.reason(absent, SILENCE_HINT))

    def _on_image(self, message: Image) -> None:
        self._silence.hear(topics.IMAGE)
        if self._camera is None:
            if self._waiting is not None:
                topic = self.resolve_topic_name(topics.CAMERA_INFO)
                reason = f"no usable {topic} has come: the images' field of view is unknown"
                self._diagnostics.refuse("images refused", reason)
            self._waiting = message
            return
        try:
            grey = camera_messages.image_array(message)
            self._repeats.require_alive(grey)
            view = require_visible(preprocess(grey, self._camera))
            encoded = self._encoder.encode(view[None])[0]  # (K, 3)
        except KprlError as error:
            self._diagnostics.refuse("images refused", f"image refused: {error}")
            return
        pixels = keypoints_to_image(encoded[:, :2], self._camera)
        self._keypoints.publish(
            keypoint_array(pixels, encoded[:, 2], message.header, message.width, message.height)
        )
        self._count(message, encoded[:, 2])
        self._publish_overlay(grey, pixels, encoded[:, 2], message)

    def _count(self, image: Image, confidence: npt.NDArray[np.float32]) -> None:
        self._diagnostics.counts["images"] += 1
        self._diagnostics.passes(to_nanoseconds(image.header.stamp))
        self._diagnostics.values |= {
            CONFIDENCE_MEAN: f"{confidence.mean():.3f}",
            CONFIDENCE_LEAST: f"{confidence.min():.3f}",
        }

    def _publish_overlay(
        self,
        grey: npt.NDArray[np.uint8],
        pixels: npt.NDArray[np.float32],
        confidence: npt.NDArray[np.float32],
        image: Image,
    ) -> None:
        """Draw the keypoints on the whole published image, not on the cut that the network saw."""
        now = self._steady.now().nanoseconds * 1e-9
        if now < self._overlay_due or self._overlay.get_subscription_count() == 0:
            return
        self._overlay_due = now + self._overlay_period
        relative = 2.0 * pixels / np.array([image.width, image.height]) - 1.0
        scale = overlay_scale(self._overlay_scale, image.width)
        drawn = draw_keypoints(grey, np.column_stack([relative, confidence]), scale)
        message = camera_messages.colour_image(drawn, image.header.stamp)
        message.header.frame_id = image.header.frame_id
        self._overlay.publish(message)


def main() -> None:
    """Entry point."""
    sys.exit(run(KeypointNode))

"""Images that the keypoint node cannot use: named, refused, and forgotten with the next good one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from graph_processes import Graph, open_graph
from kprl_interfaces.msg import KeypointArray
from sensor_msgs.msg import CameraInfo, Image

from kprl.preprocess import FIELD_OF_VIEW, Intrinsics
from kprl_ros import camera_messages, topics
from kprl_ros.topics import STREAM

pytestmark = pytest.mark.graph
CAMERA = Intrinsics.from_field_of_view(FIELD_OF_VIEW + 6, 160, 120)
GOOD = np.random.default_rng(0).integers(0, 256, (120, 160), np.uint8)
BAD = 7  # [s] stamp of the images that must not be answered


@pytest.fixture(scope="module")
def graph(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    with open_graph(4, tmp_path_factory.mktemp("bad_images")) as graph:
        graph.start("keypoint_node", model=model)
        yield graph


@pytest.fixture(scope="module")
def show(graph: Graph) -> Callable[[Image], None]:
    """Publish a camera info and an image."""
    images = graph.node.create_publisher(Image, topics.IMAGE, STREAM)
    infos = graph.node.create_publisher(CameraInfo, topics.CAMERA_INFO, STREAM)
    graph.wait(lambda: images.get_subscription_count() and infos.get_subscription_count(), "the keypoint node")

    def publish(image: Image) -> None:
        infos.publish(camera_messages.camera_info(CAMERA))
        images.publish(image)

    return publish


def message(pixels: np.ndarray, **changes: object) -> Image:
    image = camera_messages.grey_image(pixels, Time(sec=BAD))
    for name, value in changes.items():
        setattr(image, name, value)
    return image


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (message(np.zeros_like(GOOD)), "the camera shows nothing: its view is grey 0 all over"),
        (message(np.full_like(GOOD, 255)), "the camera shows nothing: its view is grey 255 all over"),
        (message(GOOD[:60]), r"image is \(60, 160\) uint8: expected \(120, 160\) uint8"),
        (message(GOOD, encoding="16UC1"), "image has the encoding '16UC1': expected mono8"),
        (message(GOOD, height=200), "image is damaged: 160 x 200 pixels"),
        (camera_messages.colour_image(np.stack([GOOD] * 3, -1), Time(sec=BAD)), r"image is \(120, 160, 3\)"),
    ],
    ids=["black", "white", "size", "encoding", "damaged", "colour"],
)
def test_bad_image_is_refused_with_its_reason_and_a_good_one_is_not(
    graph: Graph, show: Callable[[Image], None], image: Image, reason: str
) -> None:
    keypoints = graph.listen(KeypointArray, topics.KEYPOINTS, STREAM)
    diagnostics = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)

    def refused() -> bool:
        show(image)
        pattern = re.compile(reason)
        return any(pattern.search(status.message) for array in diagnostics for status in array.status)

    graph.wait(refused, "the reason on /diagnostics")

    def encoded() -> bool:
        show(camera_messages.grey_image(GOOD, Time(sec=BAD + 1)))
        return bool(keypoints)

    graph.wait(encoded, "keypoints of a good image")
    assert BAD not in {answer.header.stamp.sec for answer in keypoints}

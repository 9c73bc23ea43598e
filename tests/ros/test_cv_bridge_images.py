"""Images with cv_bridge and without: one function decides, and what both can read is the same."""

from __future__ import annotations

import sys
from array import array
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image

from kprl.errors import KprlError
from kprl_ros import camera_messages
from kprl_ros.cv_bridge_images import find_bridge

CHANNELS = {"mono8": 1, "8UC1": 1, "rgb8": 3, "bgr8": 3}


class CvBridgeError(TypeError):
    """As cv_bridge's."""


class FakeBridge:
    """What is used of cv_bridge's CvBridge, in the same words; it knows bgr8 besides ours, and no Bayer patterns."""

    asked: list[str] = []

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = "passthrough") -> npt.NDArray[np.uint8]:
        if img_msg.encoding not in CHANNELS:
            raise CvBridgeError(f"Unrecognized image encoding [{img_msg.encoding}]")
        self.asked.append(desired_encoding)
        channels = CHANNELS[img_msg.encoding]
        shape = (img_msg.height, img_msg.step // channels, channels)
        pixels = np.ndarray(shape, np.uint8, buffer=img_msg.data)[:, : img_msg.width]
        pixels = pixels[..., 0] if channels == 1 else pixels
        if desired_encoding == "passthrough":
            return pixels
        assert desired_encoding == "mono8"
        weights = {"bgr8": (0.114, 0.587, 0.299), "rgb8": (0.299, 0.587, 0.114)}[img_msg.encoding]
        return (pixels @ np.array(weights)).round().astype(np.uint8)


class OtherNumPy(FakeBridge):
    """A bridge whose compiled part is made for another NumPy."""

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = "passthrough") -> npt.NDArray[np.uint8]:
        raise ImportError("numpy.core.multiarray failed to import")


def install(monkeypatch: pytest.MonkeyPatch, bridge: type[FakeBridge] | None) -> None:
    """Make `import cv_bridge` find this one, or none."""
    module = None
    if bridge is not None:
        module = ModuleType("cv_bridge")
        module.CvBridge = bridge  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv_bridge", module)
    monkeypatch.setattr(camera_messages, "BRIDGE", find_bridge())
    FakeBridge.asked.clear()


def grey() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)


@pytest.mark.parametrize("bridge", [None, FakeBridge])
def test_both_ways_read_the_same(bridge: type[FakeBridge] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, bridge)
    rgb = np.stack([grey(), grey()[::-1], grey()[:, ::-1]], axis=-1)
    for message, expected in (
        (camera_messages.grey_image(grey(), Time()), grey()),
        (camera_messages.colour_image(rgb, Time()), rgb),
        (Image(width=3, height=2, step=4, encoding="8UC1", data=array("B", range(8))), [[0, 1, 2], [4, 5, 6]]),
    ):
        pixels = camera_messages.image_array(message)
        np.testing.assert_array_equal(pixels, expected)
        assert pixels.dtype == np.uint8
    assert FakeBridge.asked == ([] if bridge is None else ["passthrough"] * 3)


def test_with_the_bridge_other_encodings_become_grey(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeBridge)
    blue = Image(width=2, height=1, step=6, encoding="bgr8", data=array("B", [255, 0, 0] * 2))
    np.testing.assert_array_equal(camera_messages.image_array(blue), [[29, 29]])
    assert FakeBridge.asked == ["mono8"]
    with pytest.raises(KprlError, match=r"'bayer_rggb8': cv_bridge cannot make it grey: Unrecognized"):
        camera_messages.image_array(Image(width=2, height=1, step=2, encoding="bayer_rggb8", data=array("B", [1, 2])))


@pytest.mark.parametrize("bridge", [None, OtherNumPy])
def test_without_a_bridge_that_works_other_encodings_are_refused(
    bridge: type[FakeBridge] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, bridge)
    assert camera_messages.BRIDGE is None
    with pytest.raises(KprlError, match="'bgr8': expected mono8 .* or cv_bridge to convert it"):
        camera_messages.image_array(Image(width=2, height=1, step=6, encoding="bgr8", data=array("B", [0] * 6)))


@pytest.mark.parametrize("bridge", [None, FakeBridge])
def test_damaged_images_are_refused_either_way(
    bridge: type[FakeBridge] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, bridge)
    with pytest.raises(KprlError, match="image is damaged: 3 x 2 pixels of mono8"):
        camera_messages.image_array(Image(width=3, height=2, step=3, encoding="mono8", data=array("B", range(5))))

"""Keypoints as a message, in pixels of the published image, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from kprl_interfaces.msg import Keypoint, KeypointArray
from std_msgs.msg import Header


def keypoint_array(pixels: npt.NDArray[np.floating], confidence: npt.NDArray[np.floating], header: Header,
                   width: int, height: int) -> KeypointArray:  # fmt: skip
    """Message of positions (K, 2) [px] and confidences (K,)."""
    keypoints = [
        Keypoint(u=u, v=v, confidence=c)
        for (u, v), c in zip(pixels.tolist(), confidence.tolist(), strict=True)
    ]
    return KeypointArray(header=header, image_width=width, image_height=height, keypoints=keypoints)


def keypoint_pixels(message: KeypointArray) -> npt.NDArray[np.float32]:
    """(K, 3) = u, v [px], confidence."""
    rows = [(k.u, k.v, k.confidence) for k in message.keypoints]
    return np.array(rows, np.float32).reshape(-1, 3)

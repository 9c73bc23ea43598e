"""Image messages by cv_bridge, where the distribution has one that works. The only file that imports cv_bridge."""

from __future__ import annotations

from array import array
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import Image

from kprl.errors import KprlError

AS_THEY_ARE = ("mono8", "8UC1", "rgb8")  # encodings that need no conversion; all others become mono8


class Bridge(Protocol):
    """What is used of cv_bridge's CvBridge."""

    def imgmsg_to_cv2(self, img_msg: Image, desired_encoding: str = "passthrough") -> Any:
        """Pixels of the message in the desired encoding."""


def find_bridge() -> Bridge | None:
    """A bridge that has converted a pixel, or None.

    None where cv_bridge is not installed, and where it is but cannot be used: its compiled part is made for the
    distribution's NumPy, and a virtual environment may have another one.
    """
    pixel = Image(height=1, width=1, encoding="rgb8", step=3, data=array("B", [90, 90, 90]))
    try:
        from cv_bridge import CvBridge

        bridge = CvBridge()
        converted = np.asarray(bridge.imgmsg_to_cv2(pixel, "mono8"))
    except (ImportError, AttributeError, RuntimeError, TypeError, ValueError):
        return None
    return bridge if converted.shape == (1, 1) and converted.dtype == np.uint8 else None


def bridged_array(message: Image, bridge: Bridge) -> npt.NDArray[np.uint8]:
    """Pixels of a message, (H, W) or for rgb8 (H, W, 3), uint8; of every encoding that cv_bridge knows.

    Errors: `KprlError` for an encoding that cannot become grey.
    """
    desired = "passthrough" if message.encoding in AS_THEY_ARE else "mono8"
    try:
        pixels = np.asarray(bridge.imgmsg_to_cv2(message, desired))
    except (RuntimeError, TypeError, ValueError) as error:  # CvBridgeError is a TypeError
        what = f"image has the encoding '{message.encoding}'"
        raise KprlError(f"{what}: cv_bridge cannot make it grey: {error}") from None
    return np.asarray(pixels, dtype=np.uint8)

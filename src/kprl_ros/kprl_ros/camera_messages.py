"""sensor_msgs/Image and CameraInfo to arrays and back."""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, Image

from kprl.errors import KprlError
from kprl.preprocess import Intrinsics
from kprl_ros.cv_bridge_images import bridged_array, find_bridge
from kprl_ros.topics import CAMERA_FRAME

BRIDGE = find_bridge()  # cv_bridge, or None


def grey_image(grey: npt.NDArray[np.uint8], stamp: Time) -> Image:
    """A mono8 message of (H, W) uint8."""
    return _image(grey, "mono8", 1, stamp)


def colour_image(rgb: npt.NDArray[np.uint8], stamp: Time) -> Image:
    """An rgb8 message of (H, W, 3) uint8."""
    return _image(rgb, "rgb8", 3, stamp)


def _image(pixels: npt.NDArray[np.uint8], encoding: str, channels: int, stamp: Time) -> Image:
    height, width = pixels.shape[:2]
    message = Image(height=height, width=width, encoding=encoding, step=width * channels)
    message.header.stamp, message.header.frame_id = stamp, CAMERA_FRAME
    message.data = array(
        "B", pixels.tobytes()
    )  # a list or a NumPy array here is slower by orders of magnitude
    return message


def image_array(message: Image) -> npt.NDArray[np.uint8]:
    """Pixels of a grey message (H, W) or an rgb8 message (H, W, 3), uint8.

    By cv_bridge where there is one, of any encoding that it can make grey; else by NumPy, a view of the data, of mono8,
    8UC1 and rgb8. Errors: `KprlError` for another encoding and for data that is not of the size that the message says.
    """
    channels = {"mono8": 1, "8UC1": 1, "rgb8": 3}.get(message.encoding)
    if channels is None and BRIDGE is None:
        raise KprlError(
            f"image has the encoding '{message.encoding}': expected mono8 (the camera's infrared stream), "
            "or cv_bridge to convert it, which is not installed or does not fit this NumPy"
        )
    height, width, step = message.height, message.width, message.step
    if height < 1 or width < 1 or step < width * (channels or 1) or len(message.data) != height * step:
        raise KprlError(
            f"image is damaged: {width} x {height} pixels of {message.encoding} in rows of {step} bytes, "
            f"but {len(message.data)} bytes of data"
        )
    if BRIDGE is not None:
        return bridged_array(message, BRIDGE)
    assert channels is not None
    rows = np.frombuffer(message.data, np.uint8).reshape(height, step)[:, : width * channels]
    return rows.reshape(height, width, channels) if channels > 1 else rows


def camera_info(intrinsics: Intrinsics) -> CameraInfo:
    """The message of a rectified pinhole camera."""
    message = CameraInfo(height=intrinsics.height, width=intrinsics.width, distortion_model="plumb_bob")
    message.header.frame_id = CAMERA_FRAME
    fx, fy, cx, cy = intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy
    message.d = [0.0] * 5
    message.k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def intrinsics(message: CameraInfo) -> Intrinsics:
    """The pinhole camera of rectified images: the projection matrix P.

    Errors: `KprlError` where the camera is not calibrated.
    """
    fx, fy, cx, cy = message.p[0], message.p[5], message.p[2], message.p[6]
    if not (
        np.isfinite([fx, fy, cx, cy]).all() and fx > 0 and fy > 0 and message.width > 0 and message.height > 0
    ):
        raise KprlError(
            f"camera_info has focal lengths {fx:g}, {fy:g} for {message.width} x {message.height} pixels: "
            "expected a calibrated camera"
        )
    return Intrinsics(fx, fy, cx, cy, message.width, message.height)

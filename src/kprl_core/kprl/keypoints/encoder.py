"""The deployed encoder: images in, keypoints out, through ONNX Runtime. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime

from kprl.errors import KprlError
from kprl.keypoints.folder import ONNX_FILE, read_description
from kprl.preprocess import IMAGE_SIZE, to_network

WARM_UP_RUNS = 3  # the first runs of a session allocate its memory


class Encoder(Protocol):
    """Anything that turns images into keypoints."""

    @property
    def num_keypoints(self) -> int:
        """K."""

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Images (N, 64, 64) uint8 -> float32 (N, K, 3): u, v in [-1, 1], confidence in [0, 1]."""


class OnnxEncoder:
    """A session of one thread: at this size a second thread costs more than it gives."""

    def __init__(self, path: Path, num_keypoints: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's exceptions share no narrower base class
            reason = str(error).splitlines()[0]
            raise KprlError(f"{path} is not a usable ONNX model ({reason}): train or export it anew") from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        found = [list(inputs[0].shape[1:]), list(outputs[0].shape[1:])]
        expected = [[1, IMAGE_SIZE, IMAGE_SIZE], [num_keypoints, 3]]
        if found != expected:
            raise KprlError(f"{path} maps {found[0]} to {found[1]}: expected {expected[0]} to {expected[1]}")
        self._path = path
        self._input = inputs[0].name
        self.num_keypoints = num_keypoints
        for _ in range(WARM_UP_RUNS):
            self.encode(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.uint8))

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Keypoints (N, K, 3) of images (N, 64, 64) uint8.

        Errors: `KprlError` for images of another size or type, and for non-finite keypoints.
        """
        keypoints: np.ndarray = self._session.run(None, {self._input: to_network(images)})[0]
        if not np.isfinite(keypoints).all():
            raise KprlError(f"{self._path} returned keypoints that are not finite: train the model anew")
        return keypoints


def load_encoder(folder: Path) -> OnnxEncoder:
    """Load a keypoint model folder, warm.

    Errors: `KprlError` in one line if the folder is missing, incomplete, damaged or of another format.
    """
    description = read_description(folder)
    return OnnxEncoder(folder / ONNX_FILE, description["num_keypoints"])

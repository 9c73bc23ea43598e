"""The deployed encoder: images in, keypoints out, through ONNX Runtime. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime

from kprl.errors import KprlError
from kprl.keypoints.folder import ONNX_FILE, read_description
from kprl.preprocess import IMAGE_SIZE, to_network

KEYPOINT_VALUES = 3  # u, v, confidence
BATCH_AXIS = "n"  # name of the number of images in the ONNX file
THREADS = 1  # a second one slows one image down (0.78 for 0.74 ms, preset cpu), and other nodes want a core
WARM_UP_RUNS = 3  # the first runs of a session allocate its memory


class Encoder(Protocol):
    """Anything that turns images into keypoints."""

    @property
    def num_keypoints(self) -> int:
        """K."""

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Images (N, 64, 64) uint8 -> float32 (N, K, 3): u, v in [-1, 1], confidence in [0, 1].

        Rivals of keypoints give latent codes (N, K, 2).
        """


class OnnxEncoder:
    """Two sessions of one network: one for single images, as a robot sees them, and one for any number.

    With N fixed to 1, ONNX Runtime works out shapes and coordinates once, at load. A single image passes through
    buffers that are bound once, so that a frame allocates next to nothing. `values`: numbers of each keypoint;
    `threads`: that share a batch of many images.
    """

    def __init__(self, path: Path, num_keypoints: int, values: int = KEYPOINT_VALUES, threads: int = THREADS) -> None:
        self._single, self._session = _open(path, single=True), _open(path, single=False, threads=threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        found = [list(inputs[0].shape[1:]), list(outputs[0].shape[1:])]
        expected = [[1, IMAGE_SIZE, IMAGE_SIZE], [num_keypoints, values]]
        if found != expected:
            raise KprlError(f"{path} maps {found[0]} to {found[1]}: expected {expected[0]} to {expected[1]}")
        self._path = path
        self._names = inputs[0].name, outputs[0].name
        self.num_keypoints, self.values = num_keypoints, values
        self._image = np.zeros((1, 1, IMAGE_SIZE, IMAGE_SIZE), np.float32)
        self._keypoints = np.zeros((1, num_keypoints, values), np.float32)
        self._binding = self._bind()
        self._warm_up()

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Keypoints (N, K, 3) of images (N, 64, 64) uint8.

        Errors: `KprlError` for images of another size or type, and for non-finite keypoints.
        """
        if len(images) == 1:
            to_network(images, out=self._image)
            self._single.run_with_iobinding(self._binding)
            keypoints = self._keypoints.copy()
        else:
            keypoints = self._session.run(None, {self._names[0]: to_network(images)})[0]
        if not np.isfinite(keypoints).all():
            raise KprlError(f"{self._path} returned keypoints that are not finite: train the model anew")
        return keypoints

    def _bind(self) -> onnxruntime.IOBinding:
        binding = self._single.io_binding()
        for bind, name, buffer in (
            (binding.bind_input, self._names[0], self._image),
            (binding.bind_output, self._names[1], self._keypoints),
        ):
            bind(name, "cpu", 0, np.float32, buffer.shape, buffer.ctypes.data)
        return binding

    def _warm_up(self) -> None:
        """Let the session allocate its memory, and find weights that are not finite before a robot does."""
        noise = np.random.default_rng(0)
        self.encode(np.zeros((1, IMAGE_SIZE, IMAGE_SIZE), np.uint8))
        for _ in range(WARM_UP_RUNS):
            self.encode(noise.integers(0, 256, (1, IMAGE_SIZE, IMAGE_SIZE), np.uint8))


def _open(path: Path, single: bool, threads: int = THREADS) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others want the cores in between
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if single:
        options.add_free_dimension_override_by_name(BATCH_AXIS, 1)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no narrower base class
        reason = str(error).splitlines()[0]
        raise KprlError(f"{path} is not a usable ONNX model ({reason}): train or export it anew") from error


def load_encoder(folder: Path, threads: int = THREADS) -> OnnxEncoder:
    """Load a keypoint model folder, warm; `threads` share a batch of many images.

    Errors: `KprlError` in one line if the folder is missing, incomplete, damaged or of another format.
    """
    description = read_description(folder)
    values = description.get("values_per_keypoint", KEYPOINT_VALUES)
    return OnnxEncoder(folder / ONNX_FILE, description["num_keypoints"], values, threads)


def load_keypoint_encoder(folder: Path) -> OnnxEncoder:
    """As `load_encoder`, but of keypoints only.

    Errors: also `KprlError` for a model of latent codes.
    """
    encoder = load_encoder(folder)
    if encoder.values != KEYPOINT_VALUES:
        raise KprlError(f"{folder} holds latent codes, not keypoints: train a model with --representation keypoints")
    return encoder

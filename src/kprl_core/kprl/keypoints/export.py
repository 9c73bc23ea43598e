"""ONNX export of the encoder with its keypoint layer, checked against torch."""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from kprl.errors import KprlError
from kprl.files import atomic_file
from kprl.keypoints.encoder import BATCH_AXIS, KEYPOINT_VALUES, OnnxEncoder
from kprl.preprocess import IMAGE_SIZE, to_network

OPSET = 17
TOLERANCE = 1e-4  # largest difference of a coordinate or confidence between ONNX Runtime and torch
CHECKED_IMAGES = 4


class TorchEncoder:
    """The torch encoder behind the interface of `kprl.keypoints.encoder.Encoder`, for use in training."""

    def __init__(self, encoder: nn.Module, num_keypoints: int) -> None:
        self._encoder, self.num_keypoints = encoder, num_keypoints

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Keypoints (N, K, 3) of images (N, 64, 64) uint8; leaves the encoder in evaluation mode."""
        self._encoder.eval()
        device = next(self._encoder.parameters()).device
        with torch.inference_mode():
            keypoints: np.ndarray = self._encoder(torch.from_numpy(to_network(images)).to(device)).cpu().numpy()
        return keypoints


def export_onnx(encoder: nn.Module, num_keypoints: int, path: Path, values: int = KEYPOINT_VALUES) -> None:
    """Write `encoder` as ONNX: "images" (N, 1, 64, 64) float32 in [0, 1] -> "keypoints" (N, K, values).

    Errors: `KprlError` if a weight is not finite, or the exported model does not compute what torch computes.
    """
    for name, value in encoder.state_dict().items():
        if not torch.isfinite(value).all():
            raise KprlError(f"weight {name} is not finite: nothing was exported, train the model anew")
    model = copy.deepcopy(encoder).cpu().eval()
    convert_conv2d_weight_memory_format(model, torch.contiguous_format)
    example = torch.zeros(1, 1, IMAGE_SIZE, IMAGE_SIZE)
    axes = {"images": {0: BATCH_AXIS}, "keypoints": {0: BATCH_AXIS}}
    with atomic_file(path) as beside, warnings.catch_warnings():
        # The newer exporter needs one more dependency and gives the same graph for this network.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            (example,),
            str(beside),
            input_names=["images"],
            output_names=["keypoints"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        _check(model, OnnxEncoder(beside, num_keypoints, values))


def _check(model: nn.Module, exported: OnnxEncoder) -> None:
    images = np.random.default_rng(0).integers(0, 256, (CHECKED_IMAGES, IMAGE_SIZE, IMAGE_SIZE), np.uint8)
    expected = TorchEncoder(model, exported.num_keypoints).encode(images)
    together, alone = exported.encode(images), np.concatenate([exported.encode(image[None]) for image in images])
    difference = float(max(np.abs(together - expected).max(), np.abs(alone - expected).max()))
    if not difference <= TOLERANCE:
        raise KprlError(
            f"the exported encoder differs from torch by {difference:.2g}, more than {TOLERANCE:g}: "
            "check the versions of torch, onnx and onnxruntime"
        )

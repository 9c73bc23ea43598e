"""The autoencoder: encoder, keypoint layer and decoder, built by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from kprl.errors import require_choice
from kprl.keypoints.compact import CompactEncoder
from kprl.keypoints.decoder import DenseDecoder, ShallowDecoder
from kprl.keypoints.dense_unet import DenseUNet
from kprl.keypoints.layer import KeypointLayer

ENCODERS: dict[str, Callable[..., nn.Module]] = {"dense_unet": DenseUNet, "compact": CompactEncoder}
DECODERS: dict[str, Callable[..., nn.Module]] = {"dense": DenseDecoder, "shallow": ShallowDecoder}


class KeypointEncoder(nn.Module):
    """Phi * f of the paper: images (N, 1, 64, 64) in [0, 1] -> keypoints (N, K, 3); this is exported."""

    def __init__(self, features: nn.Module, sharpness: float) -> None:
        super().__init__()
        self.features = features
        self.layer = KeypointLayer(sharpness)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 1, 64, 64) in [0, 1] -> keypoints (N, K, 3)."""
        keypoints: Tensor = self.layer(self.features(images))
        return keypoints


class Autoencoder(nn.Module):
    """Encoder and decoder with the names and arguments that rebuild them.

    `architecture`: {"encoder": name, "encoder_options": {…}, "decoder": name, "decoder_options": {…},
    "num_keypoints": K, "sharpness": factor on the features before the softmax}.
    """

    def __init__(self, architecture: dict[str, Any]) -> None:
        super().__init__()
        encoder = ENCODERS[require_choice("encoder", architecture["encoder"], list(ENCODERS))]
        decoder = DECODERS[require_choice("decoder", architecture["decoder"], list(DECODERS))]
        num_keypoints = architecture["num_keypoints"]
        features = encoder(num_keypoints, **architecture["encoder_options"])
        self.architecture = architecture
        self.encoder = KeypointEncoder(features, architecture["sharpness"])
        self.decoder = decoder(num_keypoints, **architecture["decoder_options"])

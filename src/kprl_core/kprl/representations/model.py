"""An autoencoder without keypoints, built by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from kprl.errors import require_choice
from kprl.keypoints.compact import CompactTrunk
from kprl.keypoints.dense_unet import DenseTrunk
from kprl.keypoints.model import DECODERS
from kprl.keypoints.presets import Preset
from kprl.representations.decoder import LatentDecoder
from kprl.representations.encoders import LatentEncoder, ResNetEncoder, VariationalEncoder

RIVALS = ("ae", "vae", "ae-ft")
TRUNKS: dict[str, Callable[..., DenseTrunk | CompactTrunk]] = {"dense_unet": DenseTrunk, "compact": CompactTrunk}


class LatentAutoencoder(nn.Module):
    """Encoder and decoder with the names and arguments that rebuild them.

    `architecture`: {"representation": "ae", "vae" or "ae-ft", "reconstruct": "image" or "truth", "num_keypoints": K,
    "decoder": name, "decoder_options": {…}}; for ae and vae also {"encoder": name of the keypoint encoder whose
    contracting half it is, "encoder_options": {…}}, for ae-ft {"pretrained": whether training began with ImageNet's
    weights}.
    """

    def __init__(self, architecture: dict[str, Any]) -> None:
        super().__init__()
        decoder = DECODERS[require_choice("decoder", architecture["decoder"], list(DECODERS))]
        num_keypoints = architecture["num_keypoints"]
        self.architecture = architecture
        self.encoder = _build_encoder(architecture)
        self.decoder = LatentDecoder(decoder(num_keypoints, **architecture["decoder_options"]), num_keypoints)


def rival_architecture(representation: str, preset: Preset, num_keypoints: int, reconstruct: str) -> dict[str, Any]:
    """Argument of `LatentAutoencoder` for a preset's encoder and decoder."""
    shared = {
        "representation": representation,
        "reconstruct": reconstruct,
        "num_keypoints": num_keypoints,
        "decoder": preset.decoder,
        "decoder_options": preset.decoder_options,
    }
    if representation == "ae-ft":
        return {**shared, "pretrained": False}
    return {**shared, "encoder": preset.encoder, "encoder_options": preset.encoder_options}


def _build_encoder(architecture: dict[str, Any]) -> LatentEncoder | ResNetEncoder:
    num_keypoints = architecture["num_keypoints"]
    representation = require_choice("representation", architecture["representation"], RIVALS)
    if representation == "ae-ft":
        return ResNetEncoder(num_keypoints)
    trunk = TRUNKS[require_choice("encoder", architecture["encoder"], list(TRUNKS))](**architecture["encoder_options"])
    return VariationalEncoder(trunk, num_keypoints) if representation == "vae" else LatentEncoder(trunk, num_keypoints)

"""The one place that knows every representation."""

from __future__ import annotations

from pathlib import Path

from kprl.errors import KprlError, require_choice
from kprl.keypoints.objective import KeypointObjective, Objective
from kprl.keypoints.presets import Preset
from kprl.representations.encoders import ResNetEncoder
from kprl.representations.model import RIVALS, rival_architecture
from kprl.representations.objective import RECONSTRUCTIONS, ReconstructionObjective, VariationalObjective
from kprl.representations.pretrained import load_pretrained

REPRESENTATIONS = ("keypoints", *RIVALS)


def make_objective(
    representation: str,
    preset: Preset,
    num_keypoints: int,
    reconstruct: str | None = None,
    pretrained: Path | None = None,
) -> Objective:
    """What a `Trainer` trains.

    reconstruct: "image" or "truth", for all but keypoints; None: "image", see `ReconstructionObjective`.
    pretrained: file of ImageNet weights for ae-ft; None: torch hub's cache, see `load_pretrained`.

    Errors: `KprlError` for an unknown name, an argument that the representation has no use for, and a file of
    weights that cannot be used.
    """
    require_choice("representation", representation, REPRESENTATIONS)
    if pretrained is not None and representation != "ae-ft":
        raise KprlError(f"pretrained weights are for ae-ft, not for {representation}: leave them out")
    if representation == "keypoints":
        if reconstruct not in (None, "truth"):
            raise KprlError(f"keypoints are learnt from depth and classes, not from '{reconstruct}': leave it out")
        return KeypointObjective(preset, num_keypoints)
    reconstruct = require_choice("reconstruct", reconstruct or "image", RECONSTRUCTIONS)
    architecture = rival_architecture(representation, preset, num_keypoints, reconstruct)
    if representation == "vae":
        return VariationalObjective(preset, architecture)
    objective = ReconstructionObjective(preset, architecture)
    encoder = objective.model.encoder
    if isinstance(encoder, ResNetEncoder):
        architecture["pretrained"] = load_pretrained(encoder.resnet, pretrained)
    return objective

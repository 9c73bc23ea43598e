"""Small models with random weights for the nodes under test."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from kprl.bundle import save_bundle

sys.path.insert(0, str(Path(__file__).parent))  # graph_processes

NUM_KEYPOINTS = 4


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A keypoint model folder with random weights."""
    import torch
    from safetensors.torch import save_file

    from kprl.keypoints.export import export_onnx
    from kprl.keypoints.folder import ONNX_FILE, WEIGHTS_FILE, write_description
    from kprl.keypoints.model import Autoencoder

    torch.manual_seed(0)
    architecture = {
        "encoder": "compact",
        "encoder_options": {"channels": 8},
        "decoder": "shallow",
        "decoder_options": {},
        "num_keypoints": NUM_KEYPOINTS,
        "sharpness": 6.0,
    }
    network = Autoencoder(architecture).eval()
    folder = tmp_path_factory.mktemp("model")
    save_file(
        {name: value.contiguous() for name, value in network.state_dict().items()}, folder / WEIGHTS_FILE
    )
    export_onnx(network.encoder, NUM_KEYPOINTS, folder / ONNX_FILE)
    content = {"preset": "random", "num_keypoints": NUM_KEYPOINTS, "architecture": architecture}
    write_description(folder, content | {"training": {}, "metrics": {}})
    return folder


@pytest.fixture(scope="session")
def bundle(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle around the model, its policy with random weights."""
    from safetensors.numpy import save_file

    from kprl.rl.networks import Actor
    from kprl.rl.policy import Policy
    from kprl.rl.policy_export import export_onnx

    folder = tmp_path_factory.mktemp("bundle")
    export_onnx(Policy(Actor(2 * NUM_KEYPOINTS + 4 + 3, 4, (64, 64), True)), folder / "policy.onnx")
    (folder / "checkpoint").mkdir()
    save_file({"nothing": np.zeros(1)}, folder / "checkpoint" / "policy.safetensors")
    files = (model, folder / "policy.onnx", folder / "checkpoint")
    save_bundle(folder / "bundle", *files, "grasp", "env1", "cube", NUM_KEYPOINTS, {})
    return folder / "bundle"

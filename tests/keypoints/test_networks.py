"""Shapes, gradients and sizes of encoders and decoders."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kprl.errors import KprlError
from kprl.keypoints.decoder import gaussian_maps
from kprl.keypoints.layer import cell_centres
from kprl.keypoints.model import Autoencoder
from kprl.keypoints.presets import PRESETS
from kprl.keypoints.targets import DepthScale, class_shares, depth_target

PARAMETERS = {
    "paper": (0.9e6, 1.1e6),
    "large": (0.3e6, 0.5e6),
    "cpu": (0.1e6, 0.3e6),
    "gpu": (0.1e6, 0.3e6),
    "quick": (0.05e6, 0.2e6),
}


def build(preset, num_keypoints=12):
    torch.manual_seed(0)
    return Autoencoder(PRESETS[preset].architecture(num_keypoints))


@pytest.mark.parametrize("preset", PRESETS)
def test_number_of_parameters(preset):
    least, most = PARAMETERS[preset]
    assert least < sum(p.numel() for p in build(preset).parameters()) < most


@pytest.mark.parametrize("num_keypoints", [8, 10, 12, 14])
@pytest.mark.parametrize("preset", PRESETS)
def test_every_parameter_gets_a_gradient_through_the_bottleneck(preset, num_keypoints):
    model = build(preset, num_keypoints)
    keypoints = model.encoder(torch.rand(2, 1, 64, 64))
    assert keypoints.shape == (2, num_keypoints, 3)
    depth, logits = model.decoder(gaussian_maps(keypoints, 0.2))
    assert depth.shape == (2, 1, 32, 32) and logits.shape == (2, 3, 32, 32)
    (depth.square().mean() + logits.square().mean() + keypoints.square().mean()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("preset", PRESETS)
def test_encoder_treats_images_of_a_batch_separately(preset):
    encoder = build(preset).encoder.eval()
    images = torch.rand(3, 1, 64, 64)
    with torch.no_grad():
        assert torch.allclose(encoder(images)[1:2], encoder(images[1:2]), atol=1e-4)


def test_unknown_names_are_refused():
    architecture = PRESETS["quick"].architecture(12)
    for part in ("encoder", "decoder"):
        with pytest.raises(KprlError, match=f"unknown {part} 'resnet'"):
            Autoencoder({**architecture, part: "resnet"})


@settings(max_examples=20)
@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 1), st.floats(0.05, 2.0))
def test_gaussian_map_is_the_formula(u, v, confidence, sharpness):
    found = gaussian_maps(torch.tensor([[[u, v, confidence]]]), sharpness)[0, 0].numpy()
    centres = cell_centres(32, torch.zeros(1)).numpy()
    squared = ((centres[None] - u) ** 2 + (centres[:, None] - v) ** 2) * 16**2  # [cell^2]
    np.testing.assert_allclose(found, confidence * np.exp(-sharpness * squared), atol=1e-4)


def test_class_shares_of_a_cell_sum_to_one_and_count_its_pixels():
    segmentation = np.zeros((1, 64, 64), np.uint8)
    segmentation[0, 0, 0], segmentation[0, 0, 1] = 1, 2
    shares = class_shares(torch.from_numpy(segmentation))
    assert shares.shape == (1, 3, 32, 32)
    assert shares[0, :, 0, 0].tolist() == [0.5, 0.25, 0.25]
    assert torch.equal(shares.sum(dim=1), torch.ones(1, 32, 32))


def test_depth_target_is_normalised():
    depth = np.random.default_rng(0).uniform(0.4, 0.9, (50, 64, 64)).astype(np.float16)
    cells = np.repeat(np.repeat(depth[:, ::2, ::2], 2, 1), 2, 2)
    target = depth_target(torch.from_numpy(cells), DepthScale.of(depth))
    assert target.shape == (50, 1, 32, 32)
    assert abs(float(target.mean())) < 0.05 and float(target.std()) == pytest.approx(1.0, abs=0.05)
    assert DepthScale.of(np.ones((3, 64, 64), np.float16)).deviation > 0

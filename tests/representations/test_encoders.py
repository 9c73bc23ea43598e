"""Shapes, gradients, sizes and export of the rival encoders."""

from __future__ import annotations

import json

import numpy as np
import onnxruntime
import pytest
import torch

from kprl.errors import KprlError
from kprl.keypoints.model import Autoencoder
from kprl.keypoints.presets import PRESETS
from kprl.representations.encoders import IMAGENET_DEVIATION, IMAGENET_MEAN, ResNetEncoder
from kprl.representations.model import RIVALS, LatentAutoencoder, rival_architecture


def build(representation, preset="cpu", num_keypoints=12, reconstruct="truth"):
    torch.manual_seed(0)
    return LatentAutoencoder(rival_architecture(representation, PRESETS[preset], num_keypoints, reconstruct))


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("num_keypoints", [8, 12])
@pytest.mark.parametrize("preset", ["cpu", "paper"])
@pytest.mark.parametrize("representation", RIVALS)
def test_shapes(representation, preset, num_keypoints):
    model = build(representation, preset, num_keypoints)
    latent = model.encoder(torch.rand(3, 1, 64, 64))
    assert latent.shape == (3, num_keypoints, 2)
    depth, logits = model.decoder(latent)
    assert depth.shape == (3, 1, 32, 32) and logits.shape == (3, 3, 32, 32)


@pytest.mark.parametrize("preset", ["cpu", "paper"])
def test_the_contracting_half_is_the_keypoint_encoders(preset):
    keypoint = dict(Autoencoder(PRESETS[preset].architecture(12)).encoder.features.named_parameters())
    trunk = dict(build("ae", preset).encoder.trunk.named_parameters())
    assert trunk and {name: value.shape for name, value in trunk.items()} == {n: keypoint[n].shape for n in trunk}
    assert not any(name.startswith(("lift", "up", "head")) for name in trunk)


@pytest.mark.parametrize("preset", PRESETS)
def test_sizes_are_comparable_with_the_keypoint_model(preset):
    keypoint, rival = parameters(Autoencoder(PRESETS[preset].architecture(12))), parameters(build("ae", preset))
    assert 0.4 * keypoint < rival < 3.0 * keypoint


@pytest.mark.parametrize("representation", RIVALS)
def test_images_of_a_batch_are_treated_separately(representation):
    encoder = build(representation).encoder.eval()
    images = torch.rand(3, 1, 64, 64)
    with torch.no_grad():
        assert torch.allclose(encoder(images)[1:2], encoder(images[1:2]), atol=1e-4)


def test_resnet_sees_three_equal_channels_normalised_as_imagenet():
    encoder, seen = ResNetEncoder(12).eval(), []
    encoder.resnet.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    images = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        encoder(images)
    colours = seen[0] * torch.tensor(IMAGENET_DEVIATION).reshape(3, 1, 1) + torch.tensor(IMAGENET_MEAN).reshape(3, 1, 1)
    assert torch.allclose(colours, images.repeat(1, 3, 1, 1), atol=1e-6)
    assert all(name.startswith("resnet.") for name in encoder.state_dict())


@pytest.mark.parametrize("preset", ["cpu", "paper"])
@pytest.mark.parametrize("representation", RIVALS)
def test_the_export_computes_what_torch_computes(representation, preset, tmp_path):
    encoder = build(representation, preset).encoder
    with torch.no_grad():
        for _ in range(3):  # for statistics that are not the initial ones
            encoder(torch.rand(16, 1, 64, 64))
    encoder.eval()
    path = str(tmp_path / "encoder.onnx")
    torch.onnx.export(
        encoder, (torch.zeros(1, 1, 64, 64),), path, input_names=["images"], output_names=["keypoints"],
        dynamic_axes={"images": {0: "n"}, "keypoints": {0: "n"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert session.get_outputs()[0].shape[1:] == [12, 2]
    for n in (1, 5):
        images = torch.rand(n, 1, 64, 64)
        with torch.no_grad():
            expected = encoder(images).numpy()
        found = session.run(None, {"images": images.numpy()})[0]
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("representation", RIVALS)
def test_architecture_written_as_json_rebuilds_the_model(representation):
    model = build(representation, "paper").eval()
    again = LatentAutoencoder(json.loads(json.dumps(model.architecture))).eval()
    again.load_state_dict(model.state_dict())
    images = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(again.encoder(images), model.encoder(images))


def test_unknown_names_are_refused():
    architecture = build("ae").architecture
    for part in ("representation", "encoder", "decoder"):
        with pytest.raises(KprlError, match=f"unknown {part} 'gan'"):
            LatentAutoencoder({**architecture, part: "gan"})

"""The rivals learn, their losses are what they say, and the factory makes them."""

from __future__ import annotations

import math

import pytest
import torch

from kprl.errors import KprlError
from kprl.keypoints.objective import KeypointObjective, total
from kprl.keypoints.presets import PRESETS
from kprl.representations.factory import REPRESENTATIONS, make_objective
from kprl.representations.model import RIVALS
from kprl.representations.objective import RECONSTRUCTIONS, as_image, kl_divergence

LOSSES = {"image": ["image"], "truth": ["depth", "segmentation"]}


@pytest.fixture(autouse=True)
def no_pretrained_weights(hub):
    """A weight file that lies in the user's cache must not decide these tests."""


def make(representation, reconstruct=None, preset="cpu", num_keypoints=12):
    torch.manual_seed(0)
    return make_objective(representation, PRESETS[preset], num_keypoints, reconstruct)


def chance(seed=0):
    return torch.Generator().manual_seed(seed)


def overfit(objective, batch, steps):
    """The weighted sum of the losses at each step."""
    optimiser = torch.optim.Adam(objective.parameters(), lr=3e-3)
    noise, values = chance(), []
    for _ in range(steps):
        terms = objective(batch, 0.0, noise)
        loss = total(objective, terms)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(float(loss.detach()))
    return values


@pytest.mark.parametrize("reconstruct", RECONSTRUCTIONS)
@pytest.mark.parametrize("representation", RIVALS)
def test_losses_are_finite_and_every_parameter_gets_a_gradient(representation, reconstruct, batch):
    objective = make(representation, reconstruct)
    terms = objective(batch, 0.5, chance())
    expected = LOSSES[reconstruct] + (["kl"] if representation == "vae" else [])
    assert list(terms) == expected == list(objective.weights)
    assert all(term.shape == () and torch.isfinite(term) for term in terms.values())
    total(objective, terms).backward()
    for name, parameter in objective.named_parameters():
        assert parameter.grad is not None and torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize(
    ("representation", "reconstruct", "preset"),
    [
        *((representation, reconstruct, "cpu") for representation in RIVALS for reconstruct in RECONSTRUCTIONS),
        ("ae", "image", "paper"),
        ("vae", "truth", "paper"),
    ],
)
def test_eight_images_are_learnt_by_heart(representation, reconstruct, preset, batch):
    steps = 40 if preset == "cpu" and representation != "ae-ft" else 20  # the larger networks learn in fewer
    values = overfit(make(representation, reconstruct, preset), batch, steps)
    assert all(math.isfinite(value) for value in values)
    assert sum(values[-3:]) < 0.5 * sum(values[:3])


@pytest.mark.parametrize("representation", RIVALS)
def test_losses_stay_float32_under_autocast(representation, batch):
    objective = make(representation)
    with torch.autocast("cpu", torch.bfloat16):
        terms = objective(batch, 0.0, chance())
    full = objective(batch, 0.0, chance())
    for name, term in terms.items():
        assert term.dtype == torch.float32
        assert float(term.detach()) == pytest.approx(float(full[name].detach()), rel=0.05, abs=1e-3)


def test_kl_divergence_of_known_distributions():
    # N(1, e) and N(0, 1): (1 + e - 1 - 1) / 2; then N(0, 1/4) and N(0, 1): (1/4 - 1 + ln 4) / 2.
    mean = torch.tensor([[[1.0, 0.0]], [[0.0, 0.0]]])
    log_variance = torch.tensor([[[1.0, 0.0]], [[-math.log(4.0), 0.0]]])
    expected = ((math.e - 1.0) / 2 + (-0.75 + math.log(4.0)) / 2) / 2
    assert float(kl_divergence(mean, log_variance)) == pytest.approx(expected)
    assert float(kl_divergence(mean, log_variance)) == pytest.approx(0.5886441, abs=1e-6)
    assert float(kl_divergence(torch.zeros(3, 12, 2), torch.zeros(3, 12, 2))) == 0.0


def test_vae_draws_from_the_given_source_of_chance_alone(batch):
    objective = make("vae").eval()

    def image(seed):
        torch.rand(1)  # the global source must not matter
        return float(objective(batch, 0.0, chance(seed))["image"].detach())

    assert image(3) == image(3) != image(4)


def test_vae_exports_the_mean(batch):
    objective = make("vae").eval()
    with torch.no_grad():
        mean, log_variance = objective.encoder.distribution(batch.images)
        assert torch.equal(objective.encoder(batch.images), mean)
    assert mean.shape == log_variance.shape == (8, 12, 2)
    assert not torch.equal(mean, log_variance)


@pytest.mark.parametrize("reconstruct", RECONSTRUCTIONS)
def test_reconstruction_has_the_shapes_of_its_target(reconstruct, batch):
    with torch.no_grad():
        made = make("ae", reconstruct).eval().reconstruct(batch.images)
    assert list(made) == {"image": ["images"], "truth": ["depth", "shares"]}[reconstruct]
    assert all(made[name].shape == getattr(batch, name).shape for name in made)
    if "shares" in made:
        assert torch.allclose(made["shares"].sum(dim=1), torch.ones(8, 32, 32), atol=1e-5)


def test_the_four_outputs_of_a_cell_are_its_pixels():
    outputs = torch.zeros(1, 4, 32, 32)
    outputs[0, :, 3, 5] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    image = as_image(outputs[:, :1], outputs[:, 1:])
    assert image.shape == (1, 1, 64, 64)
    assert image[0, 0, 6:8, 10:12].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_the_image_as_target_carries_no_gradient(batch):
    # An attack on the images would otherwise move the target instead of misleading the encoder.
    objective = make("ae").eval()
    for parameter in objective.parameters():
        torch.nn.init.zeros_(parameter)
    images = batch.images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(
        objective(type(batch)(images, batch.depth, batch.shares), 0.0, chance())["image"], images
    )
    assert gradient.abs().max() == 0.0


@pytest.mark.parametrize("representation", REPRESENTATIONS)
def test_the_factory_makes_each_by_its_name(representation, batch):
    objective = make(representation, preset="quick", num_keypoints=8)
    assert isinstance(objective, KeypointObjective) == (representation == "keypoints")
    assert objective.values == (3 if representation == "keypoints" else 2)
    with torch.no_grad():
        assert objective.encoder(batch.images).shape == (8, 8, objective.values)
    assert objective.architecture["num_keypoints"] == 8
    assert objective.architecture.get("representation", "keypoints") == representation
    assert objective.architecture.get("reconstruct", "image") == "image"


def test_the_factory_refuses_what_makes_no_sense(tmp_path):
    preset = PRESETS["quick"]
    with pytest.raises(KprlError, match="unknown representation 'gan': choose one of ae, ae-ft, keypoints, vae"):
        make_objective("gan", preset, 12)
    with pytest.raises(KprlError, match="unknown reconstruct 'sound': choose one of image, truth"):
        make_objective("ae", preset, 12, "sound")
    with pytest.raises(KprlError, match="keypoints are learnt from depth and classes, not from 'image'"):
        make_objective("keypoints", preset, 12, "image")
    for representation in ("keypoints", "ae", "vae"):
        with pytest.raises(KprlError, match=f"pretrained weights are for ae-ft, not for {representation}"):
            make_objective(representation, preset, 12, None, tmp_path / "resnet18.pth")

"""Adversarial examples: near the image, worse for the loss, and without a trace in the clean statistics."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from kprl.keypoints.adversarial import Attack, attack_images
from kprl.keypoints.model import Autoencoder
from kprl.keypoints.presets import PRESETS
from kprl.keypoints.split_norm import (
    SplitBatchNorm2d,
    adversarial_statistics,
    join_batch_norms,
    split_batch_norms,
)

TARGET = torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(1))


def images(seed=0):
    return torch.rand(4, 1, 64, 64, generator=torch.Generator().manual_seed(seed))


def loss(changed):
    return (changed - TARGET).square().mean()


@given(epsilon=st.floats(0.001, 0.2), step=st.floats(0.001, 0.2), iterations=st.integers(1, 4))
def test_attacked_images_stay_near_and_valid(epsilon, step, iterations):
    clean = images()
    changed = attack_images(clean, loss, Attack(epsilon, step, iterations), torch.Generator().manual_seed(0))
    assert (changed - clean).abs().max() <= epsilon + 1e-6
    assert changed.min() >= 0 and changed.max() <= 1
    assert not changed.requires_grad


def test_attack_raises_the_loss_and_depends_on_the_seed_alone():
    clean = images()
    first, again = (attack_images(clean, loss, Attack(), torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, again)
    random = (clean + Attack().epsilon * torch.randn(clean.shape).sign()).clamp(0, 1)
    assert loss(first) > loss(clean) and loss(first) > loss(random)


def test_attack_leaves_no_gradient_in_the_network():
    network = nn.Conv2d(1, 2, 3)
    attack_images(images(), lambda x: network(x).square().mean(), Attack(), torch.Generator().manual_seed(0))
    assert network.weight.grad is None


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Autoencoder(PRESETS["quick"].architecture(8))


def test_clean_statistics_do_not_see_adversarial_images(model):
    split_batch_norms(model)
    norms = [part for part in model.modules() if isinstance(part, SplitBatchNorm2d)]
    assert norms and all(isinstance(norm.auxiliary, nn.BatchNorm2d) for norm in norms)
    before = [copy.deepcopy(norm.clean.state_dict()) for norm in norms]
    with adversarial_statistics(model):
        model.train()
        model.encoder(images())
    for norm, state in zip(norms, before, strict=True):
        assert all(torch.equal(state[name], value) for name, value in norm.clean.state_dict().items())
        assert norm.auxiliary.num_batches_tracked == 1
        assert not norm.adversarial


def test_statistics_are_clean_again_after_an_error(model):
    split_batch_norms(model)
    with pytest.raises(ValueError), adversarial_statistics(model):
        raise ValueError
    assert not any(part.adversarial for part in model.modules() if isinstance(part, SplitBatchNorm2d))


def test_splitting_and_joining_changes_nothing(model):
    plain = copy.deepcopy(model)
    split_batch_norms(model)
    model.eval()
    assert torch.equal(model.encoder(images()), plain.eval().encoder(images()))
    join_batch_norms(model)
    assert model.state_dict().keys() == plain.state_dict().keys()

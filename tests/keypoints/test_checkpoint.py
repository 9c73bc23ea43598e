"""The checkpoint file: everything comes back, and what does not fit is refused by name."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from kprl.errors import KprlError
from kprl.keypoints.checkpoint import load_checkpoint, save_checkpoint


def network(seed, width=4):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(3, width, 3), nn.BatchNorm2d(width)).to(memory_format=torch.channels_last)
    return model, torch.optim.Adam(model.parameters(), amsgrad=True, fused=True)


def train(model, optimiser, steps, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        optimiser.zero_grad()
        model(torch.randn(2, 3, 8, 8, generator=generator)).square().mean().backward()
        optimiser.step()


@pytest.fixture
def saved(tmp_path):
    model, optimiser = network(0)
    train(model, optimiser, 3)
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(path, model, optimiser, {"step": 3})
    return path, model, optimiser


def test_training_goes_on_bit_for_bit(saved):
    path, model, optimiser = saved
    other, other_optimiser = network(1)
    assert load_checkpoint(path, other, other_optimiser) == {"step": 3}
    for pair in ((model, optimiser), (other, other_optimiser)):
        train(*pair, steps=3, seed=7)
    expected, found = model.state_dict(), other.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_other_network_is_refused(saved):
    with pytest.raises(KprlError, match="is of another network .*size mismatch"):
        load_checkpoint(saved[0], *network(0, width=5))


@pytest.mark.parametrize(("name", "value"), [("version", "99"), ("format", "other"), ("digest", "0")])
def test_other_version_is_refused(saved, name, value):
    path, model, optimiser = saved
    head = {"format": "kprl-keypoints-checkpoint", "version": "2", "values": "{}", "digest": "", name: value}
    save_file(load_file(path), path, metadata=head)
    with pytest.raises(KprlError, match="is damaged" if name == "digest" else f"{name} is {value}, expected"):
        load_checkpoint(path, model, optimiser)


def test_weights_that_are_not_finite_leave_the_older_file(saved):
    path, model, optimiser = saved
    before = path.read_bytes()
    with torch.no_grad():
        model[0].weight[0] = float("nan")
    with pytest.raises(KprlError, match="model/0.weight is not finite"):
        save_checkpoint(path, model, optimiser, {"step": 4})
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1

"""ResNet-18 is torchvision's, as far as can be told without torchvision."""

from __future__ import annotations

import pytest
import torch

from kprl.representations.resnet18 import ResNet18

PARAMETERS = 11_689_512  # torchvision's documentation of ResNet18_Weights.IMAGENET1K_V1
COUNTERS = "num_batches_tracked"


def torchvision_layout() -> dict[str, tuple[int, ...]]:
    """Names and shapes in torchvision's weight file, in their order; its batch norms have no counters."""
    layout: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            layout[f"{name}.{part}"] = (channels,)

    layout["conv1.weight"] = (64, 3, 7, 7)
    norm("bn1", 64)
    inputs = 64
    for stage, outputs in enumerate((64, 128, 256, 512), start=1):
        for block in (0, 1):
            name = f"layer{stage}.{block}"
            layout[f"{name}.conv1.weight"] = (outputs, inputs, 3, 3)
            norm(f"{name}.bn1", outputs)
            layout[f"{name}.conv2.weight"] = (outputs, outputs, 3, 3)
            norm(f"{name}.bn2", outputs)
            if stage > 1 and block == 0:
                layout[f"{name}.downsample.0.weight"] = (outputs, inputs, 1, 1)
                norm(f"{name}.downsample.1", outputs)
            inputs = outputs
    return {**layout, "fc.weight": (1000, 512), "fc.bias": (1000,)}


def test_number_of_parameters_is_torchvisions():
    assert sum(parameter.numel() for parameter in ResNet18().parameters()) == PARAMETERS


def test_names_and_shapes_are_torchvisions():
    state = {name: tuple(value.shape) for name, value in ResNet18().state_dict().items() if COUNTERS not in name}
    assert state == torchvision_layout()
    assert len(state) == 102


@pytest.mark.parametrize(("part", "shape"), [("layer1", (16, 16)), ("layer2", (8, 8)), ("layer4", (2, 2))])
def test_resolutions_at_64_pixels(part, shape):
    network, found = ResNet18(24).eval(), []
    network.get_submodule(part).register_forward_hook(lambda module, inputs, output: found.append(output.shape[-2:]))
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 24)
    assert tuple(found[0]) == shape


def test_a_block_whose_convolutions_are_zero_is_its_shortcut():
    block = ResNet18().layer1[0].eval()
    torch.nn.init.zeros_(block.conv2.weight)
    x = torch.rand(2, 64, 5, 5)
    assert torch.equal(block(x), x)

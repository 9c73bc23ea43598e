"""Loading ImageNet's weights: from a named file, from torch hub's cache, and every way in which it fails."""

from __future__ import annotations

import pytest
import torch

from kprl.errors import KprlError
from kprl.keypoints.presets import PRESETS
from kprl.representations.factory import make_objective
from kprl.representations.pretrained import load_pretrained
from kprl.representations.resnet18 import ResNet18


def fake_weights(seed: int = 1) -> dict[str, torch.Tensor]:
    """What torchvision's file holds, with random numbers and without the counters that it lacks."""
    torch.manual_seed(seed)
    state = ResNet18().state_dict()
    return {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}


@pytest.fixture(scope="module")
def weight_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet18-0123abcd.pth"
    torch.save(fake_weights(), path)
    return path


def holds(network: ResNet18, weights: dict[str, torch.Tensor]) -> bool:
    state = network.state_dict()
    return all(torch.equal(state[name], weights[name]) for name in weights if not name.startswith("fc."))


def test_a_named_file_is_loaded_but_for_its_last_layer(weight_file):
    network = ResNet18(24)
    last = network.fc.weight.detach().clone()
    assert load_pretrained(network, weight_file)
    assert holds(network, fake_weights())
    assert torch.equal(network.fc.weight, last)


def test_torch_hubs_cache_is_found(hub, weight_file, capsys):
    (hub / weight_file.name).write_bytes(weight_file.read_bytes())
    objective = make_objective("ae-ft", PRESETS["quick"], 12)
    assert objective.architecture["pretrained"] is True
    assert holds(objective.encoder.resnet, fake_weights())
    assert capsys.readouterr().err == ""


def test_without_a_file_it_starts_from_random_weights_and_says_so(hub, capsys):
    objective = make_objective("ae-ft", PRESETS["quick"], 12)
    assert objective.architecture["pretrained"] is False
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for part in ("random weights", str(hub), "resnet18-f37072fd.pth"):
        assert part in said


def test_a_file_with_counters_and_without_a_last_layer_is_loaded(tmp_path):
    weights = {name: value for name, value in ResNet18().state_dict().items() if not name.startswith("fc.")}
    torch.save(weights, tmp_path / "weights.pth")
    network = ResNet18(24)
    assert load_pretrained(network, tmp_path / "weights.pth")
    assert holds(network, weights)


def without(name):
    return lambda weights: {key: value for key, value in weights.items() if key != name}


FAULTS = {
    "missing": (without("layer2.0.conv1.weight"), r"no parameter layer2\.0\.conv1\.weight \(128, 64, 3, 3\)"),
    "first of two": (lambda w: without("bn1.bias")(without("layer4.1.bn2.bias")(w)), r"no parameter bn1\.bias \(64,\)"),
    "shape": (
        lambda w: {**w, "conv1.weight": torch.zeros(64, 1, 7, 7)},
        r"conv1\.weight as \(64, 1, 7, 7\) instead of \(64, 3, 7, 7\)",
    ),
    "no tensor": (lambda w: {**w, "bn1.bias": 3}, r"bn1\.bias as int instead of \(64,\)"),
    "ResNet-34": (
        lambda w: {**w, "layer1.2.conv1.weight": torch.zeros(64, 64, 3, 3)},
        r"a parameter layer1\.2\.conv1\.weight, which ResNet-18 has not",
    ),
    "wrapped": (lambda w: {"state_dict": w}, r"no parameter conv1\.weight"),
    "list": (list, r"holds a list: expected ResNet-18's weights by name"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_weights_of_another_network_are_refused(fault, tmp_path):
    change, message = FAULTS[fault]
    path = tmp_path / "weights.pth"
    torch.save(change(fake_weights()), path)
    network = ResNet18(24)
    before = network.conv1.weight.detach().clone()
    with pytest.raises(KprlError, match=message) as error:
        load_pretrained(network, path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    assert torch.equal(network.conv1.weight, before)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(KprlError, match="nowhere.pth is not a file: expected ResNet-18's weights"):
        load_pretrained(ResNet18(24), tmp_path / "nowhere.pth")
    with pytest.raises(KprlError, match="is not a file"):
        load_pretrained(ResNet18(24), tmp_path)


@pytest.mark.parametrize("kept", [0, 100, 1_000_000])
def test_a_damaged_file_is_refused(kept, weight_file, tmp_path):
    path = tmp_path / "damaged.pth"
    path.write_bytes(weight_file.read_bytes()[:kept])
    with pytest.raises(KprlError, match="damaged.pth is not a readable weight file") as error:
        load_pretrained(ResNet18(24), path)
    assert "\n" not in str(error.value)


def test_a_damaged_file_in_the_cache_is_refused(hub):
    (hub / "resnet18-0123abcd.pth").write_bytes(b"<html>404</html>")
    with pytest.raises(KprlError, match="resnet18-0123abcd.pth is not a readable weight file"):
        load_pretrained(ResNet18(24), None)


def test_code_in_a_weight_file_is_not_run(tmp_path):
    torch.save({"conv1.weight": print}, tmp_path / "weights.pth")
    with pytest.raises(KprlError, match="not a readable weight file"):
        load_pretrained(ResNet18(24), tmp_path / "weights.pth")

"""What ships in models/: whole bundles, each with a card that says how it was made and how good it is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from kprl.bundle import load_bundle
from kprl.cli import main
from kprl.files import read_json
from kprl.keypoints.encoder import load_encoder
from kprl.keypoints.folder import read_description

MODELS = Path(__file__).parents[2] / "models"
BUNDLES = ("grasp-env1", "grasp-env1-gear", "grasp-env2", "push-env1")


@pytest.mark.parametrize("name", BUNDLES)
def test_a_shipped_bundle_is_whole_and_has_its_cards(name: str) -> None:
    bundle = load_bundle(MODELS / name, task=name.partition("-")[0])
    things = bundle.info["object"].split("+")
    world = f"{bundle.info['task']}-{bundle.info['scene']}"
    assert name == world if things == ["cube"] else name == f"{world}-{things[-1]}"
    trained_on = read_description(MODELS / name / "keypoints")["training"]["data"]
    assert (trained_on["task"], trained_on["scene"]) == (bundle.info["task"], bundle.info["scene"])
    card = (MODELS / name / "README.md").read_text()
    results = json.loads((MODELS / name / "results.json").read_text())
    for seed, result in results["seeds"].items():
        assert f"| {seed} |" in card and f"{result['held out']['success_rate']:.1%}" in card
    assert str(bundle.info["provenance"]["seed"]) in results["seeds"]
    assert (MODELS / name / "keypoints" / "README.md").is_file()


def test_shipped_keypoints_without_a_policy_are_whole_and_have_a_card() -> None:
    (folder,) = (path for path in MODELS.iterdir() if path.name.startswith("keypoints-"))
    description = read_description(folder)
    keypoints = load_encoder(folder).encode(np.zeros((2, 64, 64), np.uint8))
    assert keypoints.shape == (2, description["num_keypoints"], 3)
    assert description["training"]["commit"] in (folder / "README.md").read_text()


def test_a_training_starts_from_a_shipped_bundle(tmp_path: Path) -> None:
    bundle = str(MODELS / "grasp-env1")
    main(["policy", "train", "--keypoints", bundle, "--object", "rectangle", "--start-from", bundle, "--steps", "100",
          "--evaluation-episodes", "1", "--final-episodes", "1", "--out", str(tmp_path / "run")])  # fmt: skip
    made = read_json(tmp_path / "run" / "bundle" / "bundle.json")["provenance"]["config"]
    theirs = read_json(MODELS / "grasp-env1" / "bundle.json")["provenance"]["config"]
    assert made["start_from"] == bundle  # as it was typed
    for name in ("critic", "actor_hidden", "critic_hidden"):
        assert made[name] == theirs[name]

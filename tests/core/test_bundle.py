"""Bundles: whole, for the right task, for this set-up, or refused in one line."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from kprl.bundle import load_bundle
from kprl.errors import KprlError


@pytest.fixture
def bundle(quick_run, tmp_path):
    return shutil.copytree(quick_run / "bundle", tmp_path / "bundle")


def change(bundle, **values):
    path = bundle / "bundle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_a_bundle_acts(bundle):
    loaded = load_bundle(bundle, "grasp")
    keypoints = loaded.encoder.encode(np.zeros((1, 64, 64), np.uint8))
    assert keypoints.shape == (1, loaded.info["num_keypoints"], 3)
    action = loaded.policy.act(np.zeros(2 * keypoints.shape[1] + 4, np.float32), np.array([0.5, 0.0, 0.1]))
    assert action.shape == (4,)
    assert (np.abs(action) <= 1).all()


def test_every_file_is_checked(bundle):
    for name in json.loads((bundle / "bundle.json").read_text())["sha256"]:
        kept = (bundle / name).read_bytes()
        (bundle / name).write_bytes(kept + b"x")
        with pytest.raises(KprlError, match=f"{name} is damaged"):
            load_bundle(bundle)
        (bundle / name).unlink()
        with pytest.raises(KprlError, match=f"{name} is missing"):
            load_bundle(bundle)
        (bundle / name).write_bytes(kept)
    load_bundle(bundle)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"task": "push"}, "is for task 'push': expected one for task 'grasp'"),
        ({"format": 99}, "has format 99: this version reads format 1"),
        ({"field_of_view": 60.0}, "was trained with field_of_view 60.0: this set-up has 36.0"),
        ({"workspace": {"lower": [0, 0, 0], "upper": [1, 1, 1]}}, "was trained with workspace"),
        ({"num_keypoints": 3}, "names 3 keypoints but its model has 12"),
    ],
)
def test_what_does_not_fit_is_refused(bundle, values, said):
    change(bundle, **values)
    with pytest.raises(KprlError, match=said):
        load_bundle(bundle, "grasp")


def test_wrong_sizes_and_odd_answers_are_refused(bundle):
    policy = load_bundle(bundle).policy
    with pytest.raises(KprlError, match="do not fit"):
        policy.act(np.zeros(5), np.zeros(3))
    with pytest.raises(KprlError, match="not finite"):
        policy.act(np.full(28, np.nan), np.zeros(3))


def test_a_description_without_its_keys_is_named(bundle):
    path = bundle / "bundle.json"
    info = json.loads(path.read_text())
    del info["num_keypoints"]
    path.write_text(json.dumps(info))
    with pytest.raises(KprlError, match="bundle.json lacks num_keypoints"):
        load_bundle(bundle)


def test_a_damaged_description_is_named(bundle):
    (bundle / "bundle.json").write_text("{")
    with pytest.raises(KprlError, match="bundle.json is damaged"):
        load_bundle(bundle)

"""Data and a trained model that several keypoint tests share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))

# Properties are tested for truth, not for speed: a busy machine must not fail them.
settings.register_profile("no_deadline", deadline=None)
settings.load_profile("no_deadline")

from synthetic_scene import make_synthetic_world  # noqa: E402

from kprl.data.config import GenerateConfig  # noqa: E402
from kprl.data.generate import generate  # noqa: E402
from kprl.keypoints.train import train_keypoints  # noqa: E402
from kprl.keypoints.train_config import TrainConfig  # noqa: E402

TRAINING_STEPS = 4  # what is tested is that it runs; quality is measured with real data


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keypoints") / "data"
    config = GenerateConfig("grasp", "env1", "cube", images=160, out=folder, workers=1)
    generate(config, make_synthetic_world, progress=False)
    return folder


@pytest.fixture(scope="session")
def model_folder(data_folder):
    folder = data_folder.parent / "model"
    train_keypoints(TrainConfig(data_folder, folder, steps=TRAINING_STEPS, threads=1), progress=False)
    return folder

"""Training: a few steps end in a whole model folder, the same for the same seed; failures leave nothing."""

from __future__ import annotations

import csv
import dataclasses
import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from synthetic_scene import make_synthetic_world

from kprl.data.config import GenerateConfig
from kprl.data.generate import generate
from kprl.errors import KprlError
from kprl.files import read_json
from kprl.keypoints import presets
from kprl.keypoints.compute import choose_compute
from kprl.keypoints.encoder import load_encoder
from kprl.keypoints.group import Group
from kprl.keypoints.losses import depth_loss
from kprl.keypoints.model import Autoencoder
from kprl.keypoints.objective import KeypointObjective
from kprl.keypoints.schedule import Schedule
from kprl.keypoints.train import train_keypoints
from kprl.keypoints.train_config import TrainConfig
from kprl.keypoints.trainer import Trainer

METRICS = {"on_target", "objects_covered", "equivariance_px"}


def test_model_folder_is_whole(model_folder):
    names = {path.name for path in model_folder.iterdir()}
    assert {"model.safetensors", "encoder.onnx", "keypoints.json", "keypoints.png", "metrics.csv"} <= names
    assert list((model_folder / "tensorboard").iterdir())
    description = read_json(model_folder / "keypoints.json")
    assert description["preset"] == "quick" and description["num_keypoints"] == 12
    assert description["training"]["steps"] == 4 and description["training"]["data"]["images"] == 160
    assert set(description["metrics"]) >= METRICS
    with Image.open(model_folder / "keypoints.png") as picture:
        assert picture.width > 500
    load_encoder(model_folder)
    assert not (model_folder.parent / "model.training").exists()
    training = description["training"]
    assert training["processor"] and training["commit"] and training["hyperparameters"]["batch_size"] == 64


def test_metrics_are_recorded(model_folder):
    with (model_folder / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4]  # a validation after each, as there are so few
    assert all(np.isfinite(float(row["loss"])) for row in rows)
    assert 0 <= float(rows[-1]["held_out/on_target"]) <= 1


def test_same_seed_gives_the_same_weights(data_folder, model_folder, tmp_path):
    again = TrainConfig(data_folder, tmp_path / "again", steps=4, threads=1)
    train_keypoints(again, progress=False)
    expected = load_file(model_folder / "model.safetensors")
    found = load_file(tmp_path / "again" / "model.safetensors")
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    train_keypoints(dataclasses.replace(again, seed=1), progress=False)  # replaces the older model
    found = load_file(tmp_path / "again" / "model.safetensors")
    assert not all(torch.equal(expected[name], found[name]) for name in expected)


def test_losses_fall(data_folder, tmp_path):
    from kprl.data.dataset import load_dataset

    config = TrainConfig(data_folder, tmp_path, steps=30, threads=1)
    torch.manual_seed(0)
    objective = KeypointObjective(config.hyperparameters(), 12)
    trainer = Trainer(config, objective, load_dataset(data_folder), tmp_path, choose_compute("cpu", "float32"), Group())
    trainer.run(show_progress=False)
    with (tmp_path / "metrics.csv").open() as file:
        values = [float(row["loss"]) for row in csv.DictReader(file)]
    assert np.mean(values[-3:]) < 0.8 * np.mean(values[:2])


def test_wall_clock_budget_ends_the_training(data_folder, tmp_path, capsys):
    train_keypoints(TrainConfig(data_folder, tmp_path / "m", minutes=0.01, threads=1), progress=True)
    assert read_json(tmp_path / "m" / "keypoints.json")["training"]["minutes"] < 1.0
    assert "keypoints" in capsys.readouterr().err  # the progress bar


@pytest.mark.parametrize("preset", ["paper", "large", "gpu", "cpu"])
def test_other_presets_train(data_folder, tmp_path, preset, monkeypatch):
    small = dataclasses.replace(presets.PRESETS[preset], batch_size=6)  # the paper's network takes its time
    monkeypatch.setitem(presets.PRESETS, preset, small)
    config = TrainConfig(data_folder, tmp_path / "m", preset, num_keypoints=8, steps=1, threads=1)
    train_keypoints(config, progress=False)
    assert load_encoder(tmp_path / "m").num_keypoints == 8
    # What adversarial training adds to the network is gone.
    Autoencoder(small.architecture(8)).load_state_dict(load_file(tmp_path / "m" / "model.safetensors"))


def test_papers_length_is_sixteen_epochs(data_folder, tmp_path):
    schedule = Schedule(TrainConfig(data_folder, tmp_path, "paper"), presets.PRESETS["paper"], images=50_000)
    assert schedule.steps == 16 * 50_000 // 64
    assert schedule.progress(schedule.steps // 2) == pytest.approx(0.5, abs=1e-3)


def test_non_finite_loss_leaves_the_older_model(data_folder, model_folder, tmp_path, monkeypatch):
    out = tmp_path / "m"
    train_keypoints(TrainConfig(data_folder, out, steps=1, threads=1), progress=False)
    before = (out / "keypoints.json").read_bytes()
    monkeypatch.setattr("kprl.keypoints.losses.depth_loss", lambda *arguments: depth_loss(*arguments) * float("nan"))
    with pytest.raises(KprlError, match="loss became nan at step 1: nothing was saved"):
        train_keypoints(TrainConfig(data_folder, out, steps=3, threads=1), progress=False)
    assert (out / "keypoints.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_diverging_training_stops_and_keeps_its_last_good_checkpoint(data_folder, tmp_path, monkeypatch):
    losses = iter([1.0, 1.1, 9.0, 9.5, 1.0])
    monkeypatch.setattr("kprl.keypoints.trainer.held_out_loss", lambda *arguments: next(losses))
    monkeypatch.setattr("kprl.keypoints.divergence.SETTLED_STEPS", 0)
    with pytest.raises(KprlError, match=r"9.5 at step 4, 9.5 times its best: the checkpoint of step 2 stays in"):
        train_keypoints(TrainConfig(data_folder, tmp_path / "m", steps=8, threads=1), progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.training"]
    with safe_open(tmp_path / "m.training" / "checkpoint.safetensors", framework="pt") as file:
        assert json.loads(file.metadata()["values"])["step"] == 2  # from before the loss grew


def test_finished_model_is_not_trained_again(model_folder, data_folder, monkeypatch, capsys):
    monkeypatch.setattr("kprl.keypoints.train.Trainer", None)  # would fail if it were used
    config = TrainConfig(data_folder, model_folder, steps=4, threads=1)
    metrics = train_keypoints(config, progress=False)
    assert metrics == read_json(model_folder / "keypoints.json")["metrics"]
    assert "is this model already: delete it to train it anew" in capsys.readouterr().err


def test_images_that_show_nothing_are_refused(data_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("kprl.keypoints.train.count_blind", len)
    with pytest.raises(KprlError, match="160 of the 160 images in .* show nothing"):
        train_keypoints(TrainConfig(data_folder, tmp_path / "m", steps=1, threads=1), progress=False)
    assert not list(tmp_path.iterdir())


def test_folder_of_something_else_is_not_overwritten(data_folder, tmp_path):
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(KprlError, match="not a keypoint model folder"):
        train_keypoints(TrainConfig(data_folder, tmp_path, steps=1), progress=False)
    assert (tmp_path / "thesis.tex").read_text() == "precious"


def test_too_few_images_are_refused(tmp_path):
    generate(
        GenerateConfig("grasp", "env1", "cube", images=10, out=tmp_path / "d", workers=1),
        make_synthetic_world,
        progress=False,
    )
    with pytest.raises(KprlError, match="holds 10 images"):
        train_keypoints(TrainConfig(tmp_path / "d", tmp_path / "m", steps=1), progress=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"preset": "fast"}, "unknown preset 'fast'.*cpu, gpu, large, paper, quick"),
        ({"num_keypoints": 1}, "num_keypoints is 1"),
        ({"minutes": 0.0}, "minutes is 0.0"),
        ({"minutes": float("nan")}, "minutes is nan"),
        ({"steps": 0}, "steps is 0"),
        ({"threads": 0}, "threads is 0"),
        ({"device": "tpu"}, "unknown device 'tpu'.*auto, cpu, cuda"),
        ({"precision": "half"}, "unknown precision 'half'"),
        ({"variant": "no_luck"}, "unknown variant 'no_luck'.*no_equivariance"),
    ],
)
def test_impossible_settings_are_refused(tmp_path, change, message):
    with pytest.raises(KprlError, match=message):
        TrainConfig(tmp_path, tmp_path / "m", **change)

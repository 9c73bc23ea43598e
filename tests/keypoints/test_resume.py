"""A killed training goes on as if it had not been: the same weights, bit for bit."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from kprl.errors import KprlError
from kprl.keypoints.checkpoint import load_checkpoint
from kprl.keypoints.train import train_keypoints
from kprl.keypoints.train_config import TrainConfig

STEPS = 40
TIME_OUT = 120.0  # [s] for a few steps on a busy machine


def config(data, out, **changes):
    return TrainConfig(data, out, num_keypoints=8, steps=STEPS, threads=1, variant="attack", **changes)


def command(data, out):
    arguments = f"--data {data} --out {out} --num-keypoints 8 --steps {STEPS} --threads 1 --variant attack"
    return [sys.executable, "-m", "kprl.cli", "keypoints", "train", *arguments.split()]


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def uninterrupted(data_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "model"
    train_keypoints(config(data_folder, out), progress=False)
    return out


@pytest.fixture
def killed(data_folder, tmp_path):
    """The model folder to be of a training that was killed about half way."""
    out = tmp_path / "model"
    process = subprocess.Popen(command(data_folder, out), stderr=subprocess.DEVNULL)
    work, deadline = tmp_path / "model.training", time.monotonic() + TIME_OUT
    try:
        while not ((work / "checkpoint.safetensors").exists() and len(rows(work)) >= 4):
            assert process.poll() is None, "the training ended before it could be killed"
            assert time.monotonic() < deadline, "no checkpoint within the time-out"
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not out.exists()
    return out


def test_resumed_training_equals_an_uninterrupted_one(data_folder, uninterrupted, killed, capsys):
    train_keypoints(config(data_folder, killed), progress=False)
    assert "going on from step" in capsys.readouterr().err
    expected, found = (load_file(folder / "model.safetensors") for folder in (uninterrupted, killed))
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert rows(killed) == rows(uninterrupted)
    assert [path.name for path in killed.parent.iterdir()] == ["model"]


def test_other_settings_do_not_go_on_from_it(data_folder, killed):
    with pytest.raises(KprlError, match="interrupted training with seed 0, not 1: finish it"):
        train_keypoints(config(data_folder, killed, seed=1), progress=False)
    assert (killed.parent / "model.training" / "checkpoint.safetensors").exists()


def test_damaged_checkpoint_is_named_and_kept(data_folder, killed):
    path = killed.parent / "model.training" / "checkpoint.safetensors"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(KprlError, match="checkpoint.safetensors is damaged .*: delete .* to train from the start"):
        train_keypoints(config(data_folder, killed), progress=False)
    assert path.read_bytes() == content


def test_second_training_of_the_same_model_is_refused(data_folder, tmp_path):
    out = tmp_path / "model"
    process = subprocess.Popen(command(data_folder, out), stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + TIME_OUT
        while not (tmp_path / "model.training" / "training.json").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.raises(KprlError, match="is being filled by another 'kprl keypoints train'"):
            train_keypoints(config(data_folder, out), progress=False)
    finally:
        process.kill()
        process.wait()


def test_foreign_folder_in_the_place_of_the_work_folder_is_left_alone(data_folder, tmp_path):
    (tmp_path / "model.training").mkdir()
    (tmp_path / "model.training" / "thesis.tex").write_text("precious")
    with pytest.raises(KprlError, match="holds thesis.tex and is not a training's folder"):
        train_keypoints(config(data_folder, tmp_path / "model"), progress=False)
    assert (tmp_path / "model.training" / "thesis.tex").read_text() == "precious"


def test_checkpoint_that_cannot_be_used_is_refused(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"not a checkpoint")
    layer = torch.nn.Linear(2, 2)
    with pytest.raises(KprlError, match="is damaged"):
        load_checkpoint(path, layer, torch.optim.Adam(layer.parameters()))

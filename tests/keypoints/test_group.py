"""Several processes train one model: torchrun on the CPU, as it would be on GPUs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kprl.errors import KprlError
from kprl.files import read_json
from kprl.keypoints.trainer import _require_shareable

TIME_OUT = 180.0  # [s] for two processes to start and take a few steps


def test_torchrun_shares_the_batches(data_folder, tmp_path):
    out = tmp_path / "model"
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = ["-m", "kprl.cli", "keypoints", "train", "--data", str(data_folder), "--out", str(out), "--steps", "3"]
    result = subprocess.run(
        [*torchrun, *command, "--threads", "1", "--device", "cpu"], capture_output=True, text=True, timeout=TIME_OUT
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("wrote") == 1
    assert read_json(out / "keypoints.json")["training"]["processes"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_batches_that_cannot_be_shared_are_refused():
    with pytest.raises(KprlError, match="a batch of 64 cannot be shared by 3 processes"):
        _require_shareable(64, 3)
    _require_shareable(64, 4)

"""Ctrl-C, and a kill in the middle of a real training: nothing is left running, and the same command goes on."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import kill, members

from kprl.cli import main
from kprl.files import read_json

FAKE = Path(__file__).with_name("fake_experiment.py")
PATIENCE = 240.0  # [s] on a machine under load


def start(*command):
    env = {**os.environ, "PYTHONPATH": f"{FAKE.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    return subprocess.Popen(
        [sys.executable, *map(str, command)], start_new_session=True, env=env, text=True, stderr=subprocess.PIPE
    )


def wait_for(condition, process, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, f"waited {PATIENCE:g} s for {what}"
        time.sleep(0.02)


def is_alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.slow
def test_ctrl_c_writes_what_there_is_and_leaves_nothing_running(tmp_path):
    process = start(FAKE, tmp_path, "hangs")
    hanging = [tmp_path / "cells" / task / "y" / "seed0" / "process" for task in ("a", "b")]
    wait_for(lambda: all(path.exists() for path in hanging), process, "two cells that hang")
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not members(process.pid)
    deadline = time.monotonic() + 20
    while any(is_alive(path.read_text()) for path in hanging):
        assert time.monotonic() < deadline, "a worker of Ray outlives its experiment"
        time.sleep(0.1)
    text = (tmp_path / "results.md").read_text()
    assert "- a y seed 0\n" in text and "## Failed" not in text
    assert not (tmp_path / ".experiment.lock").exists()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_killed_experiment_goes_on_in_the_middle_of_a_training(tmp_path, capsys):
    out = tmp_path / "fig8"
    command = ["experiment", "fig8", "--preset", "smoke", "--methods", "K=8", "--out", str(out), "--parallel", "1"]
    policy = out / "policies/grasp-env1-cube/keypoints-k8/seed0"
    process = start("-m", "kprl.cli", *command)
    # Saved at the evaluation before the first step, after 100 of 200 steps, and at the end.
    wait_for(lambda: evaluations(policy) >= 2, process, "an evaluation on the way")
    kill(process, whole_group=True)
    made = [
        out / "data/grasp-env1-cube/result.json",
        out / "representations/grasp-env1-cube/keypoints-k8/seed0/result.json",
    ]
    times = [path.stat().st_mtime_ns for path in made]
    assert not (policy / "result.json").exists()
    main(command)
    assert [path.stat().st_mtime_ns for path in made] == times  # shared work is not done again
    begun = [part["from_step"] for part in read_json(policy / "run.json")["parts"]]
    assert begun[0] == 0 and begun[-1] >= 100  # the training went on from its last evaluation
    with (out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["0", "100", "200", "200"]
    assert [row["point"] for row in rows] == ["on the way"] * 3 + ["final"]
    assert "cells done: 1" in capsys.readouterr().out
    main(command)  # nothing is left to do: no Ray is started for it
    assert len(read_json(policy / "run.json")["parts"]) == len(begun)


def evaluations(policy):
    """Evaluations whose state is on disk: metrics.csv is a little ahead of training.safetensors."""
    try:
        with (policy / "policy" / "metrics.csv").open(newline="") as file:
            rows = sum(bool(row["eval_success"]) for row in csv.DictReader(file))
        last = read_json(policy / "policy" / "checkpoints" / "last" / "checkpoint.json")["steps"]
    except Exception:
        return 0
    return rows if last >= 100 else 0

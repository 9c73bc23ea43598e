"""The launch files from start to end: training from nothing over topics, and a bundle in the deployment graph."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest
import yaml
from graph_processes import FIRST_DOMAIN, environment

pytestmark = pytest.mark.graph
DOMAIN = FIRST_DOMAIN + 4


def launch(file: str, *arguments: str, timeout: float = 240.0) -> str:
    """The output of a launch that must end well."""
    done = subprocess.run(
        ["ros2", "launch", "kprl_bringup", file, *arguments],
        env=environment(DOMAIN),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


def test_arguments_are_described() -> None:
    for file, names in (
        ("sim_train.launch.py", ("profile", "task", "scene", "object", "output", "seed", "resume")),
        ("sim_grasp.launch.py", ("bundle", "episodes", "goal", "output", "clock", "auto_start", "overlay")),
    ):
        shown = launch(file, "--show-args")
        assert all(f"'{name}'" in shown for name in names), shown
        assert "no description given" not in shown


@pytest.mark.slow
def test_sim_train_leaves_a_whole_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    output = launch("sim_train.launch.py", "profile:=smoke", f"output:={run}", "seed:=3")
    assert "success" in output
    summary = json.loads((run / "summary.json").read_text())
    assert {"success_before", "success_after", "minutes"} <= set(summary)
    assert summary["seed"] == 3 and summary["env_steps"] >= 400 and summary["updates"] > 0
    assert yaml.safe_load((run / "config.yaml").read_text())["profile"] == "smoke"
    for name in (
        "data/manifest.json",
        "keypoints/encoder.onnx",
        "policy/curve.png",
        "episode.gif",
        "keypoints.png",
    ):
        assert (run / name).stat().st_size > 0
    with (run / "policy" / "metrics.csv").open() as file:
        assert list(csv.DictReader(file))
    assert not [path for path in run.iterdir() if path.name.startswith(".")]  # nothing half-written

    launch(
        "sim_grasp.launch.py",
        f"bundle:={run / 'bundle'}",
        "episodes:=1",
        "overlay:=true",
        f"output:={run / 'sim'}",
    )
    result = json.loads((run / "sim" / "result.json").read_text())
    assert result["episodes"] == 1 and result["per_episode"][0]["steps"] == 50
    assert (run / "sim" / "episodes.gif").stat().st_size > 0


@pytest.mark.slow
def test_sim_grasp_in_lockstep_gives_the_same_result_twice(bundle: Path, tmp_path: Path) -> None:
    results = []
    for name in ("a", "b"):
        arguments = ("episodes:=2", "clock:=lockstep", "overlay:=false", f"output:={tmp_path / name}")
        launch("sim_grasp.launch.py", f"bundle:={bundle}", *arguments)
        results.append(json.loads((tmp_path / name / "result.json").read_text()))
    assert results[0] == results[1]
    assert results[0]["episodes"] == 2 and sum(results[0]["outcomes"].values()) == 2
    assert all({"gripper_says", "truth", "outcome"} <= set(episode) for episode in results[0]["per_episode"])

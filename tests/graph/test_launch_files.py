"""The launch files from start to end: training from nothing over topics, and a bundle in the deployment graph."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, TwistStamped
from graph_processes import FIRST_DOMAIN, Graph, counts, environment, open_graph

from kprl.errors import KprlError
from kprl.tasks.outcome import FAILURES
from kprl_ros import launching, topics
from kprl_ros.topics import LATCHED, STREAM, within

pytestmark = pytest.mark.graph
DOMAIN = FIRST_DOMAIN + 4


def launch(
    file: str, *arguments: str, timeout: float = 240.0, until: Callable[[], Any] | None = None
) -> str:
    """The output of a launch that must end well, by itself or by Ctrl-C once `until()` is true."""
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            ["ros2", "launch", "kprl_bringup", file, *arguments],
            env=environment(DOMAIN),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            if until is not None:
                until()
                process.send_signal(signal.SIGINT)
            process.wait(timeout)
        finally:
            process.terminate()  # does nothing where it has ended
            process.wait(30.0)
            log.seek(0)
            output = log.read()
            print(output)
    assert process.returncode == 0
    assert "Traceback" not in output and "had left running" not in output
    return output


@contextmanager
def watched(graph: Graph) -> Iterator[list[DiagnosticArray]]:
    """What comes on /diagnostics meanwhile."""
    messages = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            graph.spin(0.2)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield messages
    finally:
        stop.set()
        thread.join()


def test_arguments_are_described() -> None:
    for file, names in (
        ("sim_train.launch.py", ("profile", "task", "scene", "object", "output", "seed", "resume")),
        ("sim_grasp.launch.py", ("bundle", "episodes", "goal", "output", "clock", "auto_start", "overlay")),
        ("sim_grasp.launch.py", ("namespace",)),
        ("real_grasp.launch.py", ("robot_ip", "gripper_ip", "camera", "use_fake_hardware", "rviz", "record")),
    ):
        shown = launch(file, "--show-args")
        assert all(f"'{name}'" in shown for name in names), shown
        assert "no description given" not in shown


@pytest.mark.slow
def test_sim_train_leaves_a_whole_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    arguments = ("sim_train.launch.py", "profile:=smoke", f"output:={run}", "seed:=3")
    with open_graph(DOMAIN - FIRST_DOMAIN, tmp_path) as graph, watched(graph) as diagnostics:
        output = launch(*arguments)
    assert "success" in output
    for node in ("sim_bridge", "trainer_node"):
        assert counts(diagnostics, node)["steps"] >= 200 and counts(diagnostics, node)["episodes"] >= 4
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
    assert result["outcomes"] and set(result["failures"]) == set(FAILURES)

    (run / "summary.json").unlink()  # as if it had been stopped in the final evaluation
    image_files = {path: path.stat().st_mtime_ns for path in (run / "data").iterdir()}
    trained = (run / "policy" / "training.safetensors").read_bytes()
    output = launch(*arguments, "resume:=true")
    assert "images and keypoints are kept" in output
    again = json.loads((run / "summary.json").read_text())
    assert (again["seed"], again["env_steps"]) == (3, summary["env_steps"])
    assert (run / "policy" / "training.safetensors").read_bytes() == trained
    assert {path: path.stat().st_mtime_ns for path in (run / "data").iterdir()} == image_files


@pytest.mark.parametrize("namespace", ["", "left"])
def test_sim_grasp_without_episodes_acts_at_once_towards_the_given_goal(
    bundle: Path, tmp_path: Path, namespace: str
) -> None:
    with open_graph(DOMAIN - FIRST_DOMAIN, tmp_path) as graph:
        goals = graph.listen(PointStamped, within(namespace, topics.GOAL), LATCHED)
        twists = graph.listen(TwistStamped, within(namespace, topics.EE_TWIST_CMD), STREAM)
        arguments = ("episodes:=0", "auto_start:=true", "goal:=0.5,0.05,0.15", f"output:={tmp_path / 'none'}")
        launch(
            "sim_grasp.launch.py",
            f"bundle:={bundle}",
            f"namespace:={namespace}",
            *arguments,
            until=lambda: graph.wait(lambda: goals and len(twists) > 5, "a goal and commands"),
        )
    assert (goals[0].point.x, goals[0].point.y, goals[0].point.z) == (0.5, 0.05, 0.15)
    assert not (tmp_path / "none").exists()


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


def test_the_bundle_that_ships_for_an_object_goes_before_that_of_its_scene(tmp_path, monkeypatch):
    monkeypatch.setattr(launching, "_installed", lambda folder: tmp_path / folder)
    for name in ("grasp-env1", "grasp-env1-gear"):
        (tmp_path / "models" / name).mkdir(parents=True)
    chosen = {thing: launching.bundle_folder("", "grasp", "", thing).name for thing in ("", "cube", "gear")}
    assert chosen == {"": "grasp-env1", "cube": "grasp-env1", "gear": "grasp-env1-gear"}
    assert launching.bundle_folder("mine", "grasp", "", "gear").name == "mine"
    with pytest.raises(KprlError, match="no bundle ships for task grasp, scene env2"):
        launching.bundle_folder("", "grasp", "env2", "gear")

"""rviz, viewer and record of the launch files: offered by each, refused where nothing is there for it, and run."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from typing import Any

import pytest
from graph_processes import FIRST_DOMAIN, environment
from launch.actions import ExecuteProcess
from launch_ros.actions import Node
from rosbags.highlevel import AnyReader

from kprl.errors import KprlError
from kprl_ros import launch_extras, topics

ROOT = Path(__file__).parents[2]
NONE = {"rviz": "false", "viewer": "false", "record": "false"}
DEPLOYMENT = (
    topics.IMAGE, topics.CAMERA_INFO, topics.KEYPOINTS, topics.JOINT_STATES, topics.EE_POSE, topics.GOAL,
    topics.EE_TWIST_CMD, topics.EE_TWIST_APPLIED, topics.GRIPPER_CMD, topics.ROBOT_STATUS, topics.DIAGNOSTICS,
)  # fmt: skip


@pytest.mark.parametrize("file", sorted((ROOT / "launch").glob("*.launch.py")), ids=lambda file: file.name)
def test_each_launch_file_offers_all_of_them(file: Path) -> None:
    spec = importlib.util.spec_from_file_location(file.name.split(".")[0], file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    declared = {argument.name: argument for argument in module.generate_launch_description().get_launch_arguments()}
    for name, (_, _, choices) in launch_extras.EXTRA_ARGUMENTS.items():
        assert declared[name].choices == choices


def test_nothing_is_started_that_was_not_asked_for(tmp_path: Path) -> None:
    assert launch_extras.extras(NONE, tmp_path / "new") == [] and not (tmp_path / "new").exists()


def test_rviz_is_refused_where_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch_extras, "_is_installed", lambda package: False)
    with pytest.raises(KprlError, match="rviz:=true needs the ROS package rviz2, which is not installed"):
        launch_extras.extras(NONE | {"rviz": "true"}, tmp_path)


def test_a_distributions_rosbag2_records_where_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def recorder(*installed: str) -> Any:
        monkeypatch.setattr(launch_extras, "_is_installed", lambda package: package in installed)
        return launch_extras.extras(NONE | {"record": "true", "namespace": "left"}, tmp_path)[-1]

    command = recorder("ros2bag", "rosbag2_storage_mcap")
    assert isinstance(command, ExecuteProcess) and not isinstance(command, Node)
    assert isinstance(recorder(), Node) and isinstance(recorder("ros2bag"), Node)


def test_the_viewer_is_refused_without_rerun_and_stops_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mode in launch_extras.VIEWER_MODES:
        assert len(launch_extras.extras(NONE | {"viewer": mode}, tmp_path)) == 1  # no event handler: it is not required
    monkeypatch.setattr(launch_extras.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(KprlError, match="viewer:=serve needs the Python package rerun-sdk: pip install rerun-sdk"):
        launch_extras.extras(NONE | {"viewer": "serve"}, tmp_path)


@pytest.mark.graph
@pytest.mark.slow
def test_a_launch_leaves_a_whole_recording_and_a_whole_view(tmp_path: Path) -> None:
    words = ["ros2", "launch", "kprl_bringup", "sim_grasp.launch.py", "episodes:=1", "overlay:=false"]
    words += [f"output:={tmp_path}", "record:=true", "viewer:=save", "namespace:=left"]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    ended = subprocess.run(words, env=environment(FIRST_DOMAIN + 5), timeout=240.0, **both)
    assert ended.returncode == 0 and "Traceback" not in ended.stdout, ended.stdout
    (bag,) = tmp_path.glob("bag-*")
    with AnyReader([bag]) as reader:
        counts = {topic: info.msgcount for topic, info in reader.topics.items()}
        kinds = {reader.deserialize(data, connection.msgtype).__msgtype__ for connection, _, data in reader.messages()}
    assert {topics.within("left", name) for name in DEPLOYMENT} <= set(counts)
    assert not [name for name in counts if "/sim/" in name]
    assert min(counts["/left/ee_twist_cmd"], counts["/left/gripper_cmd"]) >= 50  # an episode of 50 control periods
    assert "kprl_interfaces/msg/RobotStatus" in kinds
    (view,) = tmp_path.glob("viewer-*.rrd")
    assert subprocess.run(["rerun", "rrd", "verify", view], timeout=60.0).returncode == 0

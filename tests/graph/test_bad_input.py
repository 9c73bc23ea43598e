"""Nodes and launch files given what they cannot work with: one clear line, and an exit status that is not 0."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ament_index_python.packages import get_package_share_directory, get_packages_with_prefixes
from graph_processes import FIRST_DOMAIN, command, environment

from kprl.profiles import read_profile

pytestmark = pytest.mark.graph
DOMAIN = FIRST_DOMAIN + 3
INSTALLED = set(get_packages_with_prefixes())
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("sim_bridge", {"task": "juggle"}, "unknown task 'juggle': choose one of grasp"),
    ("sim_bridge", {"scene": "moon"}, "unknown scene of task grasp 'moon'"),
    ("sim_bridge", {"object": "egg"}, "unknown object 'egg'"),
    ("sim_bridge", {"clock": "fast"}, "unknown clock 'fast': choose one of lockstep, realtime"),
    ("sim_bridge", {"seed": "many"}, "parameter seed is many: expected int"),
    ("sim_bridge", {"goal": "0.5,0.0"}, "goal is '0.5,0.0': expected 3 numbers"),
    ("sim_bridge", {"goal": "0.5,0.0,2.0"}, "outside of the workspace"),
    ("keypoint_node", {}, "parameter model is missing"),
    ("keypoint_node", {"model": "/nowhere"}, "/nowhere is not a keypoint model folder"),
    ("keypoint_node", {"model": "DAMAGED"}, "is damaged"),
    ("policy_node", {}, "parameter bundle is missing"),
    ("policy_node", {"bundle": "/nowhere"}, "bundle /nowhere does not exist"),
    (
        "policy_node",
        {"bundle": "BUNDLE", "task": "push"},
        "is for task 'grasp': expected one for task 'push'",
    ),
    ("trainer_node", {"output": "/tmp/x"}, "parameter keypoints is missing"),
    ("trainer_node", {"keypoints": "MODEL", "output": "/tmp/x", "preset": "slow"}, "unknown preset 'slow'"),
    (
        "trainer_node",
        {"keypoints": "MODEL", "output": "/tmp/x", "step_timeout": 0.0},
        "parameter step_timeout is 0.0: expected float from 0.1",
    ),
    ("evaluate_node", {}, "parameter output is missing"),
    ("evaluate_node", {"output": "/tmp/x", "episodes": 0}, "parameter episodes is 0: expected int from 1"),
]


@pytest.fixture(scope="module")
def answers(model: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, str]]:
    """Exit status and standard error of every case; four at a time, for a start is mostly waiting."""
    damaged = tmp_path_factory.mktemp("damaged") / "model"
    shutil.copytree(model, damaged)
    (damaged / "encoder.onnx").write_bytes(b"\0" * 100)
    folders = {"DAMAGED": str(damaged), "BUNDLE": str(bundle), "MODEL": str(model)}
    found: list[tuple[int, str]] = []
    for first in range(0, len(CASES), 4):
        started = []
        for name, parameters, _ in CASES[first : first + 4]:
            filled = {key: folders.get(str(value), value) for key, value in parameters.items()}
            started.append(
                subprocess.Popen(
                    command(name, **filled), env=environment(DOMAIN), stderr=subprocess.PIPE, text=True
                )
            )
        for process in started:
            _, error = process.communicate(timeout=60)
            found.append((process.returncode, error))
    return found


@pytest.mark.parametrize("case", range(len(CASES)), ids=[f"{c[0]} {c[2]}" for c in CASES])
def test_a_node_refuses_with_one_line_and_status_2(answers: list[tuple[int, str]], case: int) -> None:
    status, error = answers[case]
    lines = error.strip().splitlines()
    assert status == 2, error
    assert len(lines) == 1, error
    assert CASES[case][2] in lines[0]


LAUNCHES = [
    ("sim_train.launch.py", ["profile:=slow"], "quick"),
    ("sim_train.launch.py", ["task:=juggle"], "grasp"),
    ("sim_train.launch.py", ["scene:=moon"], "env1"),
    ("sim_train.launch.py", ["seed:=-1"], "whole number"),
    ("sim_train.launch.py", ["output:=FULL"], "is not empty"),
    ("sim_train.launch.py", ["output:=FINISHED", "resume:=true"], "holds a finished run"),
    ("sim_train.launch.py", ["output:=FULL", "resume:=true"], "holds no config.yaml"),
    (
        "sim_train.launch.py",
        ["output:=BEGUN", "resume:=true", "profile:=smoke", "seed:=4"],
        "was begun with seed 3 (now 4), data.images 100 (now 200): resume with the same",
    ),
    ("sim_grasp.launch.py", ["task:=push", "scene:=env2"], "no bundle ships for task push, scene env2"),
    ("sim_grasp.launch.py", ["bundle:=/nowhere"], "/nowhere does not exist"),
    ("sim_grasp.launch.py", ["bundle:=BUNDLE", "episodes:=some"], "whole number"),
    ("sim_grasp.launch.py", ["bundle:=BUNDLE", "object:=egg"], "cube"),
    ("sim_grasp.launch.py", ["bundle:=BUNDLE", "namespace:=2nd"], "namespace is '2nd': expected letters"),
    ("sim_grasp.launch.py", ["bundle:=BUNDLE", "goal:=0.5,0.0,high"], "expected 3 numbers"),
    ("sim_grasp.launch.py", ["bundle:=BUNDLE", "goal:=0.5,0.0,2.0"], "outside of the workspace"),
    ("real_grasp.launch.py", [], "robot_ip is missing: give the controller's address"),
    ("real_grasp.launch.py", ["bundle:=/nowhere", "use_fake_hardware:=true"], "/nowhere does not exist"),
    ("real_grasp.launch.py", ["bundle:=BUNDLE"], "robot_ip is missing: give the controller's address"),
    ("real_grasp.launch.py", ["bundle:=BUNDLE", "robot_ip:=127.0.0.9", "camera:=eye"], "realsense"),
    ("real_grasp.launch.py", ["bundle:=BUNDLE", "robot_ip:=127.0.0.9", "camera:=file"], "file:=PATH go together"),
    (
        "real_grasp.launch.py",
        ["bundle:=BUNDLE", "robot_ip:=127.0.0.9", "camera:=file", "file:=/nowhere.db3"],
        "the recording /nowhere.db3 does not exist",
    ),
    (
        "real_grasp.launch.py",
        ["bundle:=BUNDLE", "use_fake_hardware:=true", "robot_ip:=192.168.0.3"],
        "expected an address of this machine",
    ),
    (
        "real_grasp.launch.py",
        ["bundle:=BUNDLE", "use_fake_hardware:=true", "gripper_ip:=192.168.0.4"],
        "gripper_ip is given, but use_fake_hardware is true",
    ),
    ("real_grasp.launch.py", ["bundle:=BUNDLE", "use_fake_hardware:=true", "goal:=0.5"], "expected 3 numbers"),
    ("real_grasp.launch.py", ["bundle:=BUNDLE", "use_fake_hardware:=true", "episodes:=-1"], "whole number"),
    pytest.param(
        "real_grasp.launch.py",
        ["bundle:=BUNDLE", "use_fake_hardware:=true", "rviz:=true"],
        "rviz:=true needs the ROS package rviz2, which is not installed",
        marks=pytest.mark.skipif("rviz2" in INSTALLED, reason="rviz is installed"),
    ),
]
PROFILE = read_profile(Path(get_package_share_directory("kprl_bringup")) / "config" / "profiles", "smoke")


@pytest.mark.parametrize(("file", "arguments", "expected"), LAUNCHES)
def test_a_launch_refuses_before_anything_starts(
    file: str, arguments: list[str], expected: str, bundle: Path, tmp_path: Path
) -> None:
    names = ("BEGUN", "FINISHED", "FULL")
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "FULL" / "notes.txt").write_text("mine")
    (tmp_path / "FINISHED" / "summary.json").write_text(json.dumps({}))
    settings = {name: vars(getattr(PROFILE, name)) for name in ("data", "keypoints", "policy")}
    begun = {"profile": "smoke", "task": "grasp", "scene": "env1", "object": "cube", "seed": 3} | settings
    config = yaml.safe_dump(begun | {"data": settings["data"] | {"images": 100}})
    (tmp_path / "BEGUN" / "config.yaml").write_text(config)
    folders = {name: str(tmp_path / name) for name in names} | {"BUNDLE": str(bundle)}
    filled = [
        argument.replace(key, value)
        for argument in arguments
        for key, value in folders.items()
        if key in argument
    ]
    filled += [argument for argument in arguments if not any(key in argument for key in folders)]
    done = subprocess.run(
        ["ros2", "launch", "kprl_bringup", file, *filled],
        env=environment(DOMAIN),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    output = done.stdout + done.stderr
    assert done.returncode != 0, output
    assert expected in output
    assert "process started" not in output and "Traceback" not in output
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    assert (tmp_path / "BEGUN" / "config.yaml").read_text() == config
    assert sum(1 for path in tmp_path.rglob("*") if path.is_file()) == len(names)

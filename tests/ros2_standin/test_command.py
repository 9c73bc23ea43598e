"""`ros2 run`, and the precedence of a real installation."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path


def test_run_becomes_the_program(ros2):
    result = ros2("run", "standin_demo", "args", "--ros-args", "-p", "a:=1")
    assert (result.returncode, result.stdout) == (0, "arg --ros-args\narg -p\narg a:=1\n")


def test_run_passes_on_signals_and_the_exit_code(ros2):
    with ros2.start("run", "standin_demo", "steady") as running:
        running.wait_for(f"ready {running.process.pid}")
        assert running.finish(signal.SIGTERM) == -signal.SIGTERM


def test_run_names_what_there_is(ros2):
    result = ros2("run", "standin_demo", "steddy")
    assert result.returncode == 2
    assert "no executable 'steddy' in package 'standin_demo'; it has: args, parameter_node" in result.stderr
    unknown = ros2("run", "standin_dem", "x").stderr
    assert "package 'standin_dem' not found; did you mean 'standin_demo'? packages with executables: " in unknown


def fake_real_ros2(folder: Path) -> str:
    folder.mkdir()
    program = folder / "ros2"
    program.write_text('#!/bin/sh\necho "real ros2 got: $*"\nexit 7\n')
    program.chmod(0o755)
    return str(folder)


def test_a_real_ros2_wins_wherever_it_is_on_the_path(ros2):
    path = ros2.environment["PATH"]
    real = fake_real_ros2(ros2.folder / "real")
    for order in ([real, str(ros2.standin / "bin"), path], [str(ros2.standin / "bin"), path, real]):
        result = ros2("launch", "a", "b", PATH=os.pathsep.join(order))
        assert (result.returncode, result.stdout) == (7, "real ros2 got: launch a b\n")


def test_another_copy_of_the_stand_in_is_no_real_ros2(ros2):
    copy = ros2.folder / "copy"
    shutil.copytree(ros2.standin, copy, ignore=shutil.ignore_patterns("__pycache__"))
    path = os.pathsep.join([str(copy / "bin"), str(ros2.standin / "bin"), ros2.environment["PATH"]])
    assert ros2.launch("arguments.launch.py", "robot:=ur5", PATH=path).returncode == 0


def test_a_real_launch_package_wins_over_the_stand_ins(ros2):
    """The command runs on whatever `launch` comes first; here one that only announces itself."""
    packages = ros2.folder / "packages"
    for name in ("launch", "launch_ros"):
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").write_text("import sys\nsys.exit('the real launch')\n")
    path = os.pathsep.join([str(packages), ros2.environment["PYTHONPATH"]])
    assert "the real launch" in ros2.launch("arguments.launch.py", PYTHONPATH=path).stderr


def test_half_a_real_installation_is_refused(ros2):
    packages = ros2.folder / "packages"
    (packages / "launch").mkdir(parents=True)
    (packages / "launch" / "__init__.py").touch()
    path = os.pathsep.join([str(packages), ros2.environment["PYTHONPATH"]])
    result = ros2.launch("arguments.launch.py", PYTHONPATH=path)
    assert result.returncode == 2
    assert "a real 'launch' is installed, 'launch_ros' is not; install both or neither" in result.stderr


def test_help_names_what_is_provided(ros2):
    result = ros2("--help")
    assert result.returncode == 0 and "topic list" in result.stdout

"""`source setup.bash` in a small copy of a set-up tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTS = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree as `make setup` leaves it, on wheels, with what setup.bash looks at."""
    shutil.copy(ROOT / "setup.bash", tmp_path)
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    (venv / "lib" / "python3.11" / "site-packages" / "ros_rcl.libs").mkdir(parents=True)
    (venv / "kprl-ros").write_text("wheels\n")
    install = tmp_path / "install"
    install.mkdir()
    (install / "local_setup.bash").write_text('export BUILT="$UNSET_VARIABLE"yes\n')
    (tmp_path / "tools" / "ros2_standin" / "bin").mkdir(parents=True)
    return tmp_path


def bash(tree: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tree)} | variables
    return subprocess.run(["bash", "-c", script], cwd="/", env=env, timeout=30, capture_output=True, text=True)


def test_it_sets_what_ros_needs_and_no_list_holds_a_folder_twice(tree: Path) -> None:
    show = "; ".join(f'echo "${name}"' for name in LISTS)
    source = f"source {tree}/setup.bash"
    once = bash(tree, f"set -eu; {source}; {show}")
    twice = bash(tree, f"set -eu; {source}; {source}; {show}")
    assert once.returncode == 0, once.stderr
    assert once.stdout == twice.stdout
    for name, value in zip(LISTS, once.stdout.splitlines(), strict=True):
        folders = value.split(":")
        assert len(set(folders)) == len(folders), name
        assert name == "PATH" or str(tree) in value, name
    assert once.stdout.startswith(f"{tree}/.venv/bin:")


def test_it_leaves_no_names_behind_and_keeps_the_shells_options(tree: Path) -> None:
    done = bash(tree, f"set -u; source {tree}/setup.bash; declare -F; compgen -v; echo $BUILT $-")
    assert "_kprl" not in done.stdout.replace("_kprl_status", "")
    assert done.stdout.split()[-2] == "yes"
    assert "u" in done.stdout.split()[-1]


def test_the_stand_in_serves_only_where_ros2_is_missing(tree: Path) -> None:
    standin = f"{tree}/tools/ros2_standin/bin"
    assert bash(tree, f"source {tree}/setup.bash; echo $PATH").stdout.strip().endswith(standin)
    real = tree / "real"
    real.mkdir()
    (real / "ros2").write_text("#!/bin/sh\n")
    (real / "ros2").chmod(0o755)
    shadowed = bash(tree, f"source {tree}/setup.bash; echo $PATH", PATH=f"{real}:/usr/bin:/bin")
    assert standin not in shadowed.stdout


def test_a_real_launch_package_is_not_shadowed_and_a_folder_is_no_package(tree: Path) -> None:
    standin = f"{tree}/tools/ros2_standin/python"
    (tree / "launch").mkdir()
    with_folder = bash(tree, f"cd {tree}; source setup.bash; echo $PYTHONPATH", PYTHONPATH=str(tree))
    assert with_folder.stdout.strip().endswith(standin)
    (tree / "launch" / "__init__.py").write_text("")
    with_package = bash(tree, f"source {tree}/setup.bash; echo $PYTHONPATH", PYTHONPATH=str(tree))
    assert standin not in with_package.stdout


def test_it_says_so_when_nothing_is_set_up(tree: Path) -> None:
    shutil.rmtree(tree / "install")
    done = bash(tree, f"source {tree}/setup.bash; exit $?")
    assert done.returncode == 1
    assert "make setup" in done.stderr and done.stderr.count("\n") == 1


def test_it_refuses_another_ros_than_the_one_it_was_built_on(tree: Path) -> None:
    done = bash(tree, f"source {tree}/setup.bash; exit $?", ROS_DISTRO="jazzy")
    assert done.returncode == 1
    assert "wheels" in done.stderr and "jazzy" in done.stderr


def test_on_a_distribution_the_systems_python_finds_the_virtual_environments_packages(tree: Path) -> None:
    (tree / ".venv" / "kprl-ros").write_text("kilted\n")
    shown = bash(tree, f"source {tree}/setup.bash; echo $PYTHONPATH", ROS_DISTRO="kilted").stdout
    assert f"{tree}/.venv/lib/python3.11/site-packages" in shown.strip().split(":")

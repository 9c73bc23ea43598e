"""`make setup` refuses what it cannot do in one line and before it changes anything."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def make_setup(tree: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "Makefile", tree)
    shutil.copytree(ROOT / "tools" / "setup", tree / "tools" / "setup")
    unwanted = ("ROS_DISTRO", "TORCH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    return subprocess.run(
        ["make", "setup", *(f"{name}={value}" for name, value in variables.items() if name == "PYTHON")],
        cwd=tree,
        env=env | {name: value for name, value in variables.items() if name != "PYTHON"},
        timeout=60,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ROS_DISTRO": "humble", "PYTHON": "python3"}, "ROS_DISTRO=humble is not supported"),
        ({"TORCH": "tpu"}, "TORCH=tpu is unknown"),
        ({"CXX": "no-such-compiler"}, "CXX=no-such-compiler names no program"),
        ({"PYTHON": ""}, "found no Python 3.11 or 3.12"),
    ],
)
def test_a_refusal_is_one_line_and_changes_nothing(tmp_path: Path, variables: dict[str, str], message: str) -> None:
    done = make_setup(tmp_path, **variables)
    assert done.returncode != 0
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert len(complaints) == 1 and message in complaints[0]
    assert not (tmp_path / ".venv").exists()

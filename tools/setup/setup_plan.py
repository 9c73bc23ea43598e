"""Decide what `make setup` does from what the machine offers. Pure functions: nothing here touches the machine."""

from __future__ import annotations

from dataclasses import dataclass

SUPPORTED_PYTHONS = ((3, 11), (3, 12))
SUPPORTED_DISTRIBUTIONS = ("kilted", "jazzy")
PYBULLET_WHEELS = ((3, 11),)  # elsewhere pybullet is compiled, which needs C++ and some minutes
TORCH_BUILDS = ("cpu", "cuda")
WHEELS = "wheels"


class SetupError(Exception):
    """Set-up cannot go on; the message says what was found, what was expected and what to do."""


@dataclass(frozen=True)
class Plan:
    """What to install and where ROS comes from."""

    ros: str  # "wheels", or the name of the sourced distribution
    torch_build: str  # "cpu" or "cuda"
    lock_files: tuple[str, ...]  # in requirements/
    system_site_packages: bool  # the virtual environment sees the distribution's rclpy and colcon
    compiles_pybullet: bool  # PyPI has no wheel of it for this Python


def make_plan(python: tuple[int, int], ros_distro: str, torch_build: str) -> Plan:
    """Return the plan for a Python version, the value of ROS_DISTRO ("" when unset) and of TORCH."""
    if python not in SUPPORTED_PYTHONS:
        supported = " or ".join(f"{major}.{minor}" for major, minor in SUPPORTED_PYTHONS)
        raise SetupError(
            f"Python {python[0]}.{python[1]} is not supported, {supported} is: "
            "install one and run `make setup PYTHON=/path/to/python3.11`"
        )
    if torch_build not in TORCH_BUILDS:
        raise SetupError(f"TORCH={torch_build} is unknown: use one of {', '.join(TORCH_BUILDS)}")
    compiles_pybullet = python not in PYBULLET_WHEELS
    if not ros_distro:
        return Plan(WHEELS, torch_build, ("lock.txt", "ros-lock.txt"), False, compiles_pybullet)
    if ros_distro not in SUPPORTED_DISTRIBUTIONS:
        raise SetupError(
            f"ROS_DISTRO={ros_distro} is not supported, {' and '.join(SUPPORTED_DISTRIBUTIONS)} are: "
            "source one of these, or set up in a shell where no distribution is sourced"
        )
    return Plan(ros_distro, torch_build, ("lock.txt",), True, compiles_pybullet)


def torch_attempts(build: str, version: str, index_url: str, python: str, uv: str) -> list[list[list[str]]]:
    """Return the ways to install torch, best first; each way is a list of commands that must all succeed.

    `version` is a plain version; `index_url` ("" when unset) is the user's package index for torch; `python` is
    the virtual environment's interpreter; `uv` requires the installer that knows PyTorch's CPU index, exactly.
    """
    pip = [python, "-m", "pip", "install", "-qq"]
    index = ["--index-url", index_url] if index_url else []
    if build == "cuda":
        # === takes the build without a local version: on the public index that is the CUDA build.
        exact = f"torch==={version}" if not index_url else f"torch=={version}"
        return [[[*pip, *index, exact]]]
    # Its dependencies are in lock.txt. A CPU build is always marked +cpu, so the CUDA build can never slip in.
    with_pip = [[*pip, "--no-deps", *index, f"torch=={version}+cpu"]]
    if index_url:
        return [with_pip]
    with_uv = [
        [*pip, uv],
        [python, "-m", "uv", "pip", "install", "--quiet", "--python", python, "--no-deps"]
        + ["--torch-backend", "cpu", f"torch=={version}+cpu"],
    ]
    return [with_pip, with_uv]

"""`make setup`: virtual environment, pinned packages, colcon workspace. Steps that are up to date are skipped.

Environment: TORCH=cpu|cuda, TORCH_INDEX_URL=<package index that has torch>, ROS_DISTRO (set by a sourced
distribution). Runs on the bare interpreter, so it imports nothing beyond the standard library.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cmake_exports
import fingerprint
import system_checks
from setup_plan import WHEELS, Plan, SetupError, make_plan, torch_attempts

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STATE = VENV / "kprl-setup.json"  # step -> fingerprint
ROS_MARK = VENV / "kprl-ros"  # what the workspace was built on; read by setup.bash
REQUIREMENTS = ROOT / "requirements"
CXX = VENV / "bin" / "kprl-c++"  # where the machine has no C++ compiler of its own
STEP_TIMEOUT = 3600.0  # [s] for one package download or build step
QUERY_TIMEOUT = 120.0  # [s] for asking the virtual environment's Python something; the first import of torch is slow


def run(command: list[str], env: dict[str, str] | None = None, quiet: bool = False) -> bool:
    """Run a command in the repository's root and return whether it succeeded."""
    stream = subprocess.DEVNULL if quiet else None
    try:
        done = subprocess.run(command, cwd=ROOT, env=env, timeout=STEP_TIMEOUT, stdout=stream, stderr=stream)
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"no end after {STEP_TIMEOUT:.0f} s: {' '.join(command)}") from error
    return done.returncode == 0


def must(command: list[str], what: str, env: dict[str, str] | None = None) -> None:
    """Run a command; raise SetupError naming the step when it fails."""
    if not run(command, env):
        raise SetupError(f"{what} failed (its own words are above): {' '.join(command)}")


def output(command: list[str]) -> str:
    """Return what a command prints."""
    done = subprocess.run(command, cwd=ROOT, timeout=QUERY_TIMEOUT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SetupError(f"failed (its own words are above): {' '.join(command)}")
    return done.stdout.strip()


def environment(plan: Plan) -> dict[str, str]:
    """Return the environment in which .venv's tools run; with wheels, .venv is itself a ROS prefix."""
    # The variables of the make that called us would confuse the make that colcon calls.
    unwanted = ("PYTHONHOME", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    env |= {"VIRTUAL_ENV": str(VENV), "PATH": f"{VENV}/bin{os.pathsep}{env.get('PATH', '')}"}
    if plan.ros == WHEELS:
        libraries = [VENV / "lib", *sorted(VENV.glob("lib/python3*/site-packages/ros_*.libs"))]
        env |= {"AMENT_PREFIX_PATH": str(VENV), "CMAKE_PREFIX_PATH": str(VENV)}
        env |= {"LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)), "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1"}
        env.pop("PYTHONPATH", None)
    return env


def create_venv(plan: Plan) -> bool:
    """Create .venv; a virtual environment of another Python, place or kind of ROS is made anew."""
    identity = fingerprint.fingerprint([str(VENV), plan.ros, sys.version.split()[0]], [])
    if PYTHON.exists() and fingerprint.read(STATE).get("venv") == identity:
        return False
    shutil.rmtree(VENV, ignore_errors=True)
    options = ["--system-site-packages"] if plan.system_site_packages else []
    must([sys.executable, "-m", "venv", *options, str(VENV)], "creating .venv")
    fingerprint.remember(STATE, "venv", identity)
    return True


def install_packages(plan: Plan) -> bool:
    """Install exactly what the lock files name."""
    locks = [REQUIREMENTS / name for name in plan.lock_files]
    wanted = fingerprint.fingerprint([], locks)
    if fingerprint.read(STATE).get("packages") == wanted:
        return False
    pip = [str(PYTHON), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    env = environment(plan)
    # The two that the few source packages are built with: empy everywhere, pybullet where it has no wheel.
    # pybullet hands out images as NumPy arrays only if NumPy is there when it is built.
    versions = pinned_versions(locks[0])
    build_tools = [f"{name}=={versions[name]}" for name in ("setuptools", "numpy")]
    must([*pip, *build_tools], f"installing {' and '.join(build_tools)}", env)
    if plan.compiles_pybullet:
        print("      pybullet has no wheel for this Python and is compiled: this takes some minutes", flush=True)
    # The lock is complete, so pip need not resolve; it builds with exactly what was installed above.
    files = [word for lock in locks for word in ("-r", str(lock))]
    must([*pip, "--no-deps", "--no-build-isolation", *files], "installing packages", env)
    fingerprint.remember(STATE, "packages", wanted)
    return True


def pinned_versions(path: Path) -> dict[str, str]:
    """Return {name: version} of a requirements file."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return dict(line.split("==", 1) for line in lines if line and not line.startswith("#"))


def install_torch(plan: Plan) -> bool:
    """Install the chosen build of torch and check that it is the chosen one."""
    pins = pinned_versions(REQUIREMENTS / "torch.txt")
    wanted = fingerprint.fingerprint([plan.torch_build, pins["torch"]], [])
    if fingerprint.read(STATE).get("torch") == wanted:
        return False
    index_url = os.environ.get("TORCH_INDEX_URL", "")
    attempts = torch_attempts(plan.torch_build, pins["torch"], index_url, str(PYTHON), f"uv=={pins['uv']}")
    env = environment(plan)
    for number, commands in enumerate(attempts, start=1):
        # Only the last way's complaint is of use: the others may well fail where that source has no such build.
        if all(run(command, env, quiet=number < len(attempts)) for command in commands):
            break
    else:
        raise SetupError(
            f"no {plan.torch_build} build of torch {pins['torch']} for this Python could be installed. Set "
            "TORCH_INDEX_URL to the wheel index that PyTorch's `Start locally` page shows for your choice"
            + (", or run `make setup TORCH=cuda` for the large build." if plan.torch_build == "cpu" else ".")
        )
    cuda = output([str(PYTHON), "-c", "import torch; print(torch.version.cuda)"])
    if (cuda == "None") != (plan.torch_build == "cpu"):
        raise SetupError(
            f"asked for the {plan.torch_build} build of torch, but got one with CUDA {cuda}: "
            "set TORCH_INDEX_URL to an index that has the other build, or unset it"
        )
    fingerprint.remember(STATE, "torch", wanted)
    return True


def prepare_wheels(plan: Plan) -> None:
    """Mend what the wheels leave broken; cheap, so done at every set-up."""
    if plan.ros == WHEELS:
        query = "import sysconfig as s; p = s.get_paths(); print(p['include']); print(p['purelib'])"
        include, site_packages = output([str(PYTHON), "-c", query]).splitlines()
        changed = cmake_exports.repair_tree(VENV, include, site_packages)
        print(f"      CMake files of the ROS wheels: {changed} repaired")
    print(f"      libusb: {system_checks.provide_libusb(VENV)}")


def provide_cxx(plan: Plan) -> dict[str, str]:
    """Return the environment of the build, with a C++ compiler from PyPI where the machine has none."""
    env = environment(plan)
    if plan.ros != WHEELS or system_checks.cxx_compiler(os.environ) is not None:
        return env
    print("      this machine has no C++ compiler: taking one from PyPI", flush=True)
    requirements = str(REQUIREMENTS / "cxx.txt")
    must([str(PYTHON), "-m", "pip", "install", "-qq", "-r", requirements], "installing ziglang", env)
    CXX.write_text(f'#!/bin/sh\nexec "{PYTHON}" -m ziglang c++ "$@"\n')
    CXX.chmod(0o755)
    return env | {"CXX": str(CXX)}


def build_inputs() -> Iterator[Path]:
    """Yield the files whose change asks for a new build; Python code is linked, not copied."""
    for pattern in ("package.xml", "setup.py", "setup.cfg", "CMakeLists.txt", "msg/*", "srv/*", "action/*"):
        yield from sorted((ROOT / "src").glob(f"*/{pattern}"))
    yield ROOT / "colcon.meta"


def linked_names() -> list[str]:
    """Return the names of the files that the build links into install/ one by one: a new one asks for a build."""
    files = [path for folder in ("launch", "config", "models") for path in (ROOT / folder).rglob("*")]
    return sorted(str(path.relative_to(ROOT)) for path in files if path.is_file() and path.suffix != ".pyc")


def build_workspace(plan: Plan) -> bool:
    """Build src/ with colcon into build/ and install/."""
    wanted = fingerprint.fingerprint([plan.ros, str(ROOT), *linked_names()], build_inputs())
    if fingerprint.read(STATE).get("build") == wanted and (ROOT / "install" / "local_setup.bash").exists():
        return False
    if fingerprint.read(STATE).get("build place") != str(ROOT) + plan.ros:
        for folder in ("build", "install"):  # they name folders of another place or another ROS
            shutil.rmtree(ROOT / folder, ignore_errors=True)
    fingerprint.remember(STATE, "build place", str(ROOT) + plan.ros)
    # `python -m colcon`, so that the executables' first line names this interpreter, whoever brought colcon.
    command = [str(PYTHON), "-m", "colcon", "--log-level", "error", "--log-base", "build/log"]
    command += ["build", "--base-paths", "src", "--symlink-install", "--event-handlers", "console_start_end-"]
    command += ["--cmake-args", f"-DPython3_EXECUTABLE={PYTHON}"]
    must(command, "building the workspace", provide_cxx(plan))
    fingerprint.remember(STATE, "build", wanted)
    return True


def main() -> None:
    """Entry point of `make setup`."""
    started = time.monotonic()
    plan = make_plan(sys.version_info[:2], os.environ.get("ROS_DISTRO", ""), os.environ.get("TORCH") or "cpu")
    system_checks.require_tools(os.environ, cxx_required=plan.ros != WHEELS or plan.compiles_pybullet)
    source = "PyPI wheels" if plan.ros == WHEELS else f"the sourced distribution {plan.ros}"
    print(f"kprl set-up: Python {sys.version.split()[0]}, ROS 2 from {source}, torch for {plan.torch_build}")
    steps = [
        ("virtual environment .venv", create_venv),
        ("packages from the lock file", install_packages),
        (f"torch ({plan.torch_build})", install_torch),
        ("repairs", prepare_wheels),
        ("colcon workspace", build_workspace),
    ]
    for number, (name, step) in enumerate(steps, start=1):
        print(f"[{number}/{len(steps)}] {name} ...", flush=True)
        begun = time.monotonic()
        state = "up to date" if step(plan) is False else f"done in {time.monotonic() - begun:.0f} s"
        print(f"      {state}", flush=True)
    ROS_MARK.write_text(plan.ros + "\n")
    print(f"Set up in {time.monotonic() - started:.0f} s. Next: `make demo`, or `source setup.bash` and `kprl --help`.")


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        sys.exit(f"make setup: {error}")
    except KeyboardInterrupt:
        sys.exit("make setup: interrupted; run it again to go on")

"""A temporary ament prefix with the package `standin_demo`, and a way to run `ros2` on it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STANDIN = HERE.parents[1] / "tools" / "ros2_standin"
ROS2 = STANDIN / "bin" / "ros2"
RUN_TIMEOUT_S = 40.0
POLL_S = 0.02


@dataclass
class Running:
    """A `ros2` command that is still running; its output goes to a file."""

    process: subprocess.Popen[str]
    output_path: Path

    @property
    def output(self) -> str:
        return self.output_path.read_text()

    def wait_for(self, text: str, timeout_s: float = 15.0) -> str:
        """Output as soon as it contains `text`."""
        deadline = time.monotonic() + timeout_s
        while text not in self.output:
            assert time.monotonic() < deadline, f"{text!r} did not appear in:\n{self.output}"
            assert self.process.poll() is None or text in self.output, self.output
            time.sleep(POLL_S)
        return self.output

    def finish(self, number: signal.Signals | None = None, timeout_s: float = 20.0) -> int:
        """Exit code, after sending a signal if given."""
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(timeout_s)


@dataclass
class Ros2:
    """Runs the stand-in's `ros2`, never a real one, in an environment of its own."""

    environment: dict[str, str]
    folder: Path
    prefix: Path
    standin: Path = STANDIN
    program: Path = ROS2
    timeout_s: float = RUN_TIMEOUT_S

    def __call__(self, *words: str, **extra_environment: str) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **extra_environment}
        return subprocess.run(
            [sys.executable, ROS2, *words], capture_output=True, text=True, timeout=RUN_TIMEOUT_S,
            env=environment, cwd=self.folder,
        )  # fmt: skip

    def launch(self, file: str, *words: str, **extra_environment: str) -> subprocess.CompletedProcess[str]:
        return self("launch", "standin_demo", file, *words, **extra_environment)

    @contextlib.contextmanager
    def start(self, *words: str) -> Iterator[Running]:
        """Start in the background; killed at the end of the block if need be."""
        output = self.folder / f"output-{time.monotonic_ns()}.txt"
        with output.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, ROS2, *words], stdout=file, stderr=subprocess.STDOUT, text=True,
                env=self.environment, cwd=self.folder,
            )  # fmt: skip
        try:
            yield Running(process, output)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(RUN_TIMEOUT_S)

    @staticmethod
    def is_alive(pid: int) -> bool:
        """Whether a process runs; one that has ended but was not yet reaped does not."""
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        return state != "Z"

    def assert_ends(self, pid: int, timeout_s: float) -> None:
        """Fail where a process still runs after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while self.is_alive(pid):
            assert time.monotonic() < deadline, f"process {pid} still runs"
            time.sleep(POLL_S)


def without(entry: str, path: str) -> str:
    """A search path without the folders that hold `entry`, of whatever installation."""
    return os.pathsep.join(f for f in path.split(os.pathsep) if not os.path.exists(os.path.join(f, entry)))


@pytest.fixture(scope="session")
def demo_prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ament prefix with one package: launch files, a parameter file and programs."""
    prefix = tmp_path_factory.mktemp("prefix")
    index = prefix / "share" / "ament_index" / "resource_index" / "packages"
    index.mkdir(parents=True)
    (index / "standin_demo").touch()
    shutil.copytree(HERE / "package" / "launch", prefix / "share" / "standin_demo" / "launch")
    shutil.copytree(HERE / "package" / "lib", prefix / "lib" / "standin_demo")
    for program in (prefix / "lib" / "standin_demo").iterdir():
        program.chmod(0o755)
    return prefix


@pytest.fixture
def ros2(demo_prefix: Path, tmp_path: Path) -> Ros2:
    """The stand-in, with its log in the test's own folder."""
    path = os.environ.get("PATH", os.defpath)
    python_path = os.environ.get("PYTHONPATH", "")
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), without("ros2", path)]),
        "PYTHONPATH": os.pathsep.join([str(STANDIN / "python"), without("launch/__init__.py", python_path)]),
        "AMENT_PREFIX_PATH": os.pathsep.join([str(demo_prefix), os.environ.get("AMENT_PREFIX_PATH", "")]),
        "ROS_LOG_DIR": str(tmp_path / "log"),
        "PYTHONUNBUFFERED": "1",
    }
    environment.pop("OVERRIDE_LAUNCH_PROCESS_OUTPUT", None)
    return Ros2(environment, tmp_path, demo_prefix)

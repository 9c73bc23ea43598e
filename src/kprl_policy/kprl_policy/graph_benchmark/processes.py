"""Nodes as processes in the benchmark's own namespace, so that no other graph is disturbed, or disturbs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ament_index_python.packages import get_package_prefix
from rclpy.executors import Executor
from rclpy.task import Future

from kprl.errors import KprlError
from kprl_ros import topics
from kprl_ros.shell import spin_until

NAMESPACE = "kprl_bench"
STOP_TIMEOUT = 10.0  # [s] for a node to end after SIGINT
POLL = 0.1  # [s]
LAST_LINES = 5  # of a node's log, in an error


def node_program(package: str, name: str) -> list[str]:
    """The command of an installed node."""
    return [f"{get_package_prefix(package)}/lib/{package}/{name}"]


def module_program(module: str, *arguments: str) -> list[str]:
    """The command of a module of the benchmark."""
    return [sys.executable, "-m", f"kprl_policy.graph_benchmark.{module}", *arguments]


class Processes:
    """Started nodes; as a context manager it ends them."""

    def __init__(self, folder: Path, executor: Executor) -> None:
        self._folder, self._executor = folder, executor
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(
        self,
        name: str,
        program: list[str],
        parameters: Mapping[str, Any] | None = None,
        remapped: Mapping[str, str] | None = None,
    ) -> None:
        """Start a node under a name of its own."""
        rules = {"__ns": f"/{NAMESPACE}", topics.CLOCK: "clock"} | dict(remapped or {})
        arguments = [part for source, target in rules.items() for part in ("-r", f"{source}:={target}")]
        arguments += [part for key, value in (parameters or {}).items() for part in ("-p", f"{key}:={value}")]
        with self._log(name).open("w") as file:
            self._running[name] = subprocess.Popen(
                [*program, "--ros-args", *arguments], stdout=file, stderr=subprocess.STDOUT, env=os.environ
            )

    def wait(self, condition: Callable[[], object], what: str, timeout: float) -> None:
        """Handle messages until `condition()` is true. Errors: `KprlError` where it is not in time, or a node died."""
        deadline = time.monotonic() + timeout
        while not condition():
            for name, popen in self._running.items():
                if popen.poll() is not None:
                    raise KprlError(f"{name} ended with {popen.returncode}: {self._last_lines(name)}")
            if time.monotonic() >= deadline:
                said = "; ".join(f"{name}: {self._last_lines(name)}" for name in self._running)
                raise KprlError(f"{what} did not come within {timeout:g} s: {said}")
            spin_until(self._executor, Future(), POLL)

    def stop(self) -> None:
        """End all of them; their logs are whole then."""
        for popen in self._running.values():
            if popen.poll() is None:
                popen.send_signal(signal.SIGINT)
        for popen in self._running.values():
            try:
                popen.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()
        self._running.clear()

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _last_lines(self, name: str) -> str:
        return " / ".join(self._log(name).read_text().splitlines()[-LAST_LINES:]) or "it said nothing"

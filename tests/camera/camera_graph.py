"""The camera node as a process on a ROS domain of its own, with whoever listens to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from graph_processes import Graph, Process, environment
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image

from kprl_ros import topics
from kprl_ros.topics import NEWEST, STREAM

DOMAINS = range(1, 102)  # see graph_processes.py: their ports are none of those that Linux hands out
NODE = "import sys; sys.argv[0] = 'camera_node'; import kprl_camera.camera_node as node; {}node.main()"
SOFTWARE = str(Path(__file__).parent / "software_camera.py")
TIMEOUT = 15.0  # [s] of every wait: a node needs seconds to start on a machine under load
_taken = os.getpid() % len(DOMAINS)


def arguments(parameters: dict[str, Any]) -> list[str]:
    """Parameters for a node's command line."""
    return ["--ros-args", *(part for name, value in parameters.items() for part in ("-p", f"{name}:={value}"))]


def run_to_the_end(domain: int, before: str = "", **parameters: Any) -> subprocess.CompletedProcess[str]:
    """The node where it ends by itself; `before` is Python that is run before its main function."""
    command = [sys.executable, "-c", NODE.format(before), *arguments(parameters)]
    return subprocess.run(command, env=environment(domain), capture_output=True, text=True, timeout=TIMEOUT)


def next_domain() -> int:
    """A domain that no other test of this session uses."""
    global _taken
    _taken += 1
    return DOMAINS[_taken % len(DOMAINS)]


@dataclass
class CameraGraph:
    """The node under test and what was heard from it."""

    graph: Graph
    process: Process
    images: list[Image] = field(default_factory=list)
    infos: list[CameraInfo] = field(default_factory=list)
    diagnostics: list[DiagnosticArray] = field(default_factory=list)

    def order(self, line: str) -> None:
        """Tell the software camera what to do."""
        assert self.process.popen.stdin is not None
        self.process.popen.stdin.write(line + "\n")
        self.process.popen.stdin.flush()

    def status(self) -> dict[str, str]:
        """The newest values on /diagnostics."""
        return {value.key: value.value for value in self.diagnostics[-1].status[0].values} if self.diagnostics else {}

    def wait(self, condition: Any, what: str) -> Any:
        """Handle messages until `condition()` is true."""
        return self.graph.wait(condition, what, TIMEOUT)

    def more_images(self, count: int = 3) -> list[Image]:
        """Images that come from now on."""
        before = len(self.images)
        self.wait(lambda: len(self.images) >= before + count, f"{count} images")
        return self.images[before:]


@contextmanager
def camera_graph(
    folder: Path,
    script: str = "",
    flags: tuple[str, ...] = (),
    heard_by: QoSProfile = NEWEST,
    before: str = "",
    **parameters: Any,
) -> Iterator[CameraGraph]:
    """The node, with Python that is run `before`, or the `script` around it with `flags`; ended by SIGINT."""
    graph = Graph(next_domain(), folder)
    command = [sys.executable, *([script] if script else ["-c", NODE.format(before)]), *flags, *arguments(parameters)]
    log = folder / "camera_node.log"
    try:
        heard = CameraGraph(graph, Process(None, log))  # type: ignore[arg-type]
        for kind, topic, messages, wanted in (
            (Image, topics.IMAGE, heard.images, heard_by),
            (CameraInfo, topics.CAMERA_INFO, heard.infos, heard_by),
            (DiagnosticArray, topics.DIAGNOSTICS, heard.diagnostics, STREAM),
        ):
            graph.node.create_subscription(kind, topic, messages.append, wanted)
        with log.open("w") as file:
            heard.process.popen = subprocess.Popen(
                command, env=environment(graph.domain), stdin=subprocess.PIPE, stdout=file, stderr=file, text=True
            )
        graph.processes["camera_node"] = heard.process
        yield heard
    finally:
        graph.close()

"""Nodes as processes on ROS domains of their own, and a node that watches them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from ament_index_python.packages import get_package_prefix
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.task import Future

from kprl_ros.shell import make_executor, spin_until

PACKAGES = {
    "sim_bridge": "kprl_sim",
    "keypoint_node": "kprl_keypoints",
    "policy_node": "kprl_policy",
    "trainer_node": "kprl_policy",
    "evaluate_node": "kprl_policy",
    "driver_node": "kprl_driver",
    "camera_node": "kprl_camera",
    "workcell": "kprl_fake_hardware",
    "record_node": "kprl_inspection",
    "viewer_node": "kprl_inspection",
}
# Domains 1 to 101 are free of the ports that Linux hands out by itself; a session takes a few in a row.
FIRST_DOMAIN = 1 + os.getpid() % 94


def command(name: str, *ros_arguments: str, **parameters: Any) -> list[str]:
    """The command line of a node; `ros_arguments` as after --ros-args, such as "-r", "__ns:=/left"."""
    package = PACKAGES[name]
    arguments = [*ros_arguments, *(part for key, value in parameters.items() for part in ("-p", f"{key}:={value}"))]
    return [
        f"{get_package_prefix(package)}/lib/{package}/{name}",
        *(["--ros-args"] if arguments else []),
        *arguments,
    ]


def environment(domain: int) -> dict[str, str]:
    """Nodes of one domain, on this machine only."""
    return os.environ | {"ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


@dataclass
class Process:
    """A started node."""

    popen: subprocess.Popen[str]
    log: Path

    def stop(self, timeout: float = 10.0, number: int = signal.SIGINT) -> tuple[int, float]:
        """Exit status after a signal, and how long [s] it took."""
        began = time.monotonic()
        if self.popen.poll() is None:
            self.popen.send_signal(number)
        try:
            status = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            status = self.popen.wait()
        return status, time.monotonic() - began

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """While it hangs."""
        self.popen.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.popen.send_signal(signal.SIGCONT)


def counts(messages: list[DiagnosticArray], node: str) -> dict[str, int]:
    """The newest counters of a node, from what came on /diagnostics."""
    for message in reversed(messages):
        if message.status[0].name == f"/{node}":
            values = message.status[0].values
            return {value.key: int(value.value) for value in values if value.value.isdigit()}
    return {}


class Graph:
    """Processes of one domain and a node that watches them."""

    def __init__(self, domain: int, folder: Path) -> None:
        self.domain, self._folder = domain, folder
        self.processes: dict[str, Process] = {}
        self.context = rclpy.Context()
        os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        rclpy.init(context=self.context, domain_id=domain)
        self.node = Node("watcher", context=self.context)
        self._executor: Any = None

    def start(self, name: str, *ros_arguments: str, key: str = "", **parameters: Any) -> Process:
        """Start a node as a process, known as `key` where one of its name runs already."""
        key = key or name
        log = self._folder / f"{key}.log"
        line = command(name, *ros_arguments, **parameters)
        with log.open("w") as file:
            popen = subprocess.Popen(line, env=environment(self.domain), stdout=file, stderr=file, text=True)
        self.processes[key] = Process(popen, log)
        return self.processes[key]

    def listen(self, kind: type, topic: str, qos: Any) -> list[Any]:
        """A list that grows with the messages of a topic."""
        messages: list[Any] = []
        self.node.create_subscription(kind, topic, messages.append, qos)
        return messages

    def wait(self, condition: Callable[[], Any], what: str, timeout: float = 20.0) -> Any:
        """Handle messages until `condition()` is true; returns its value."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            self.spin(0.05)
        logs = "\n".join(f"--- {name}\n{process.log.read_text()}" for name, process in self.processes.items())
        raise AssertionError(f"{what}: not within {timeout} s\n{logs}")

    def spin(self, seconds: float, future: Future[Any] | None = None) -> None:
        """Handle messages for a while, or until `future` is done."""
        if self._executor is None:
            self._executor = make_executor(self.node)
        spin_until(self._executor, future or Future(), seconds)

    def call(self, kind: type, name: str, request: Any) -> Any:
        """Call a service."""
        client = self.node.create_client(kind, name)
        self.wait(client.service_is_ready, f"service {name}")
        future = client.call_async(request)
        self.spin(10.0, future)
        assert future.done(), f"{name} did not answer"
        return future.result()

    def close(self) -> None:
        """Stop everything."""
        for process in self.processes.values():
            if process.popen.poll() is None:
                process.popen.send_signal(signal.SIGINT)
        for process in self.processes.values():
            process.stop()
        self.release_node()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)

    def release_node(self) -> None:
        """Take the watching node off the executor, for somebody else to spin it."""
        if self._executor is not None:
            self._executor.remove_node(self.node)
            self._executor.shutdown()
            self._executor = None


@contextmanager
def open_graph(offset: int, folder: Path) -> Iterator[Graph]:
    """A graph on a domain of its own."""
    graph = Graph(FIRST_DOMAIN + offset, folder)
    try:
        yield graph
    finally:
        graph.close()

"""All measurements of `kprl bench graph`, in one run on two cores."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from kprl.bundle import keypoints_of, read_bundle_info
from kprl_policy.graph_benchmark.image_source import HEIGHT, RATE, WIDTH
from kprl_policy.graph_benchmark.latency import measure_echo, measure_graph
from kprl_policy.graph_benchmark.lockstep import measure_lockstep
from kprl_policy.graph_benchmark.measures import percentiles
from kprl_policy.graph_benchmark.processes import NAMESPACE
from kprl_ros.launching import bundle_folder
from kprl_ros.shell import make_executor

CORES = 2  # that a robot's machine has at least
ECHO_SHARE = 8  # one image of the echo, before and again after the graph, for so many of the graph
LEAST_ECHO = 50  # images


@contextmanager
def few_cores() -> Iterator[int]:
    """Run this process, and those that it starts, on CORES cores; yields how many there are."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:CORES]))
    try:
        yield len(os.sched_getaffinity(0))
    finally:
        os.sched_setaffinity(0, before)


def bench_graph(frames: int, training_steps: int, bundle: Path | None) -> dict[str, Any]:
    """Measure; keys as in `kprl bench graph --json`."""
    chosen = bundle_folder(str(bundle or ""), "grasp", "env1")
    read_bundle_info(chosen, "grasp")
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    echoes = max(frames // ECHO_SHARE, LEAST_ECHO)
    with few_cores() as cores, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rclpy.init(args=["--ros-args", "-r", "/clock:=clock"], signal_handler_options=SignalHandlerOptions.NO)
        node = Node("image_source", namespace=NAMESPACE)
        executor = make_executor(node)
        try:
            echo = measure_echo(node, executor, folder, echoes)
            graph = measure_graph(node, executor, folder, frames, chosen)
            echo += measure_echo(node, executor, folder, echoes)
            steps = measure_lockstep(executor, folder, keypoints_of(chosen), training_steps)
        finally:
            executor.shutdown()
            node.destroy_node()
            rclpy.try_shutdown()
    latency, bare = graph.pop("latency_ms"), percentiles(echo)
    kind = "training" if training_steps else "env"
    period = 1000.0 / RATE
    return {
        **{f"latency_ms_{name}": value for name, value in latency.items()},
        "camera_period_ms": period,
        "p99_within_half_period": latency["p99"] <= period / 2,
        **{f"bare_echo_ms_{name}": value for name, value in bare.items()},
        "lockstep_ratio": steps[f"{kind}_topics"] / steps[f"{kind}_inprocess"],
        "lockstep_ratio_of": kind,
        "lockstep_env_ratio": steps["env_topics"] / steps["env_inprocess"],
        "step_ms": steps,
        **graph,
        "image": [WIDTH, HEIGHT],
        "cores": cores,
        "load_average": os.getloadavg()[0],
    }

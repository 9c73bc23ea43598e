"""Image stamp to command published, in the whole real-time graph with somebody at the overlay; and a bare echo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from geometry_msgs.msg import TwistStamped
from rclpy.executors import Executor
from rclpy.node import Node
from sensor_msgs.msg import Image

from kprl.errors import KprlError
from kprl.files import read_json
from kprl_policy.graph_benchmark.echo import ECHO
from kprl_policy.graph_benchmark.image_source import RATE, ImageSource
from kprl_policy.graph_benchmark.measures import MILLISECOND, latencies_ms, percentiles, queued, stages_ms
from kprl_policy.graph_benchmark.processes import Processes, module_program, node_program
from kprl_policy.graph_benchmark.timed_nodes import read_log
from kprl_ros import topics
from kprl_ros.stamps import to_nanoseconds
from kprl_ros.topics import NEWEST, STREAM

START_TIMEOUT = 90.0  # [s] for all nodes to load and to be connected
WARM_UP = 30  # images that are not counted
SLACK = 30.0  # [s] beyond the images' own time
TAIL = 5  # images after the last one that counts, whose answers nobody waits for


def measure_echo(node: Node, executor: Executor, folder: Path, frames: int) -> list[float]:
    """Round trips [ms] of so many images to another process and back."""
    trips: list[float] = []

    def on_echo(message: Image) -> None:
        trips.append((node.get_clock().now().nanoseconds - to_nanoseconds(message.header.stamp)) / MILLISECOND)

    with Processes(folder, executor) as processes:
        processes.start("echo", module_program("echo"))
        source, subscription = ImageSource(node), node.create_subscription(Image, ECHO, on_echo, NEWEST)
        try:
            processes.wait(lambda: trips, "the echo", START_TIMEOUT)
            wanted = len(trips) + WARM_UP + frames
            processes.wait(lambda: len(trips) >= wanted, "the echo", SLACK + (WARM_UP + frames) / RATE)
        finally:
            processes.stop()  # first: a subscription is safe to destroy where nothing comes any more
            source.close()
            node.destroy_subscription(subscription)
    return trips[-frames:]


def measure_graph(node: Node, executor: Executor, folder: Path, frames: int, bundle: Path) -> dict[str, Any]:
    """Latency of so many images through keypoint and policy node, a simulated robot and a viewer beside them.

    The robot is the sim bridge in real time, its own images out of the way: its physics, its rendering and its topics
    load the machine as a driver would, and more.
    """
    commands: list[TwistStamped] = []
    overlays: list[Image] = []
    logs = {name: folder / f"{name}.json" for name in ("keypoint_node", "policy_node")}
    unseen = {topics.IMAGE: "sim/image", topics.CAMERA_INFO: "sim/camera_info"}
    with Processes(folder, executor) as processes:
        processes.start("sim_bridge", node_program("kprl_sim", "sim_bridge"), {"clock": "realtime"}, unseen)
        for name, parameters in (
            ("keypoint_node", {"model": bundle}),
            ("policy_node", {"bundle": bundle, "auto_start": "true"}),
        ):
            processes.start(name, module_program("timed_nodes", name, str(logs[name])), parameters)
        source = ImageSource(node)
        subscriptions = [
            node.create_subscription(Image, topics.OVERLAY, overlays.append, NEWEST),
            node.create_subscription(TwistStamped, topics.EE_TWIST_CMD, commands.append, STREAM),
        ]
        try:
            processes.wait(lambda: commands and overlays, "a command and an overlay", START_TIMEOUT)
            first = len(source.published) + WARM_UP
            last = first + frames
            wanted = last + TAIL
            overlays.clear()
            processes.wait(lambda: len(source.published) >= wanted, "the images", SLACK + (wanted - first) / RATE)
        finally:
            processes.stop()
            source.close()
            for subscription in subscriptions:
                node.destroy_subscription(subscription)
    counted = source.published[first:last]
    stamps = {entry.stamp for entry in counted}
    encoded, acted = (read_log(read_json(path)) for path in logs.values())
    keypoints, policy = ([entry for entry in log if entry.stamp in stamps] for log in (encoded, acted))
    if not policy:
        raise KprlError("no image was answered with a command: is this machine much too slow?")
    return {
        "latency_ms": percentiles(latencies_ms(policy)),
        "frames": frames,
        "frames_encoded": len(keypoints),
        "frames_answered": len(policy),
        "frames_queued": queued(keypoints, source.published),
        "overlays": len(overlays),
        "stages_ms_p50": stages_ms(keypoints, policy),
    }

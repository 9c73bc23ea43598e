"""The viewer as a process: a file that Rerun's own reader takes, a page in a browser, and refusals in one line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from graph_processes import Graph, command, environment, open_graph
from kprl_interfaces.msg import KeypointArray, RobotStatus
from rerun.chunk import RrdReader
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Header

from kprl_inspection.viewer_node import VIEWED
from kprl_ros import camera_messages, keypoint_messages, topics
from kprl_ros.stamps import to_stamp
from kprl_ros.topics import LATCHED, STREAM

pytestmark = pytest.mark.graph
MESSAGES = 12
WITHOUT_RERUN = (
    "import sys; sys.modules['rerun'] = None; sys.argv[0] = 'viewer_node'\n"
    "import kprl_inspection.viewer_node as node; node.main()"
)


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    with open_graph(5, tmp_path) as graph:
        yield graph


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def columns(file: Path) -> dict[str, dict[str, list[Any]]]:
    """Entities of a recording, with the values of their components and timelines [ns] in the order of the rows."""
    found: dict[str, dict[str, list[Any]]] = {}
    for chunk in RrdReader(str(file)).stream():
        batch = chunk.to_record_batch()
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            plain = column.cast("int64") if pyarrow.types.is_timestamp(column.type) else column
            found.setdefault(chunk.entity_path, {}).setdefault(name, []).extend(plain.to_pylist())
    return found


def test_what_the_graph_says_is_in_the_file(graph: Graph, tmp_path: Path) -> None:
    file = tmp_path / "viewer.rrd"
    node = graph.node
    node.create_publisher(RobotStatus, topics.ROBOT_STATUS, LATCHED).publish(RobotStatus(reason="dead-man"))
    images = node.create_publisher(Image, topics.IMAGE, STREAM)
    keypoints = node.create_publisher(KeypointArray, topics.KEYPOINTS, STREAM)
    joints = node.create_publisher(JointState, topics.JOINT_STATES, STREAM)
    viewer = graph.start("viewer_node", mode="save", output=file, period=0.0)
    for publisher in (images, keypoints, joints):
        graph.wait(publisher.get_subscription_count, "the viewer")
    pictures = np.random.default_rng(0).integers(0, 256, (MESSAGES, 48, 64), np.uint8)
    for number, picture in enumerate(pictures):
        header = Header(stamp=to_stamp(10**9 * (1 + number)), frame_id=topics.CAMERA_FRAME)
        images.publish(camera_messages.grey_image(picture, header.stamp))
        places = np.array([[number, 0.5], [3.0, number]])
        keypoints.publish(keypoint_messages.keypoint_array(places, np.array([1.0, 0.25]), header, 64, 48))
        joints.publish(JointState(name=["nothing"], position=[0.0]))  # refused, and the viewer goes on
        graph.spin(0.05)
    graph.spin(0.5)
    status, _ = viewer.stop()
    log = viewer.log.read_text()
    assert status == 0 and "Traceback" not in log, log
    assert f"showing the graph: {file}; look at it with: rerun {file}" in log
    assert "/joint_states is not shown: joint_states has no position of robotiq_85_left_knuckle_joint" in log

    found = columns(file)
    points, shown = found["/camera/image/keypoints"], found["/camera/image"]
    assert points["Points2D:positions"] == [[[n, 0.5], [3.0, n]] for n in range(MESSAGES)]
    assert points["stamp"] == [10**9 * (1 + n) for n in range(MESSAGES)]
    assert [bytes(buffer[0]) for buffer in shown["Image:buffer"]] == [picture.tobytes() for picture in pictures]
    assert found["/log/robot"]["TextLog:text"] == [["IDLE: dead-man"]]
    assert "/world/workspace" in found and any(path.startswith("/world/ur5_2f85/visual") for path in found)


def test_no_node_shows_the_truth(graph: Graph) -> None:
    assert topics.SIM_TRUTH not in VIEWED


def test_a_browser_gets_a_page_and_the_data(graph: Graph) -> None:
    web, grpc = free_port(), free_port()
    viewer = graph.start("viewer_node", mode="serve", web_port=web, grpc_port=grpc)
    graph.wait(lambda: "showing the graph" in viewer.log.read_text(), "the viewer")
    address = viewer.log.read_text().split("showing the graph: ")[1].split()[0]
    assert address == f"http://127.0.0.1:{web}/?url=rerun%2Bhttp%3A%2F%2F127.0.0.1%3A{grpc}%2Fproxy"
    with urllib.request.urlopen(address, timeout=10.0) as page:
        assert b"Rerun" in page.read()
    listening = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines() if line.split()[3] == "0A"}
    for port in (web, grpc):
        assert f"0100007F:{port:04X}" in listening and f"00000000:{port:04X}" not in listening  # loopback alone
    status, seconds = viewer.stop()
    assert status == 0 and seconds < 10.0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", grpc), timeout=10.0)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"mode": "spawn"}, "there is no display for the viewer's window: use the mode serve or save"),
        ({"mode": "save"}, "output is '': expected a file that ends in .rrd"),
        ({"mode": "serve", "output": "x"}, "output is given, but mode is serve: a file is written in the mode save"),
        ({"mode": "hologram"}, "unknown mode 'hologram': choose one of save, serve, spawn"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(parameters: dict[str, str], reason: str) -> None:
    words = command("viewer_node", **parameters)
    without_display = {key: value for key, value in environment(5).items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    ended = subprocess.run(words, env=without_display, capture_output=True, text=True, timeout=30.0)
    assert (ended.returncode, ended.stderr) == (2, f"viewer_node: {reason}\n")


def test_a_machine_without_rerun_is_told_what_to_install() -> None:
    words = [sys.executable, "-c", WITHOUT_RERUN, "--ros-args", "-p", "mode:=serve"]
    ended = subprocess.run(words, env=os.environ | environment(5), capture_output=True, text=True, timeout=30.0)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("viewer_node: the viewer needs Rerun: pip install rerun-sdk (")

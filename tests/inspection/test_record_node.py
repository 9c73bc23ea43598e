"""The recorder as a process: every message to the bit, and a whole file however it is asked to end."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped
from graph_processes import Graph, command, counts, environment, open_graph
from kprl_interfaces.msg import Keypoint, KeypointArray, RobotStatus
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from rclpy.qos import QoSProfile, QoSReliabilityPolicy
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import Image

from kprl_ros import camera_messages, topics
from kprl_ros.stamps import to_stamp
from kprl_ros.topics import LATCHED, STREAM

pytestmark = pytest.mark.graph
MESSAGES = 60
SENSOR_DATA = QoSProfile(depth=10, reliability=QoSReliabilityPolicy.BEST_EFFORT)


def keypoints(number: int) -> KeypointArray:
    message = KeypointArray(image_width=64, image_height=64)
    message.header.stamp, message.header.frame_id = to_stamp(10**9 * number + 7), topics.CAMERA_FRAME
    message.keypoints = [Keypoint(u=number + i / 7, v=0.1 * i, confidence=1 / (1 + i)) for i in range(number % 5)]
    return message


@pytest.fixture
def graph(tmp_path: Path) -> Iterator[Graph]:
    with open_graph(5, tmp_path) as graph:
        yield graph


def recording(graph: Graph, folder: Path, **parameters: Any) -> None:
    """Start the recorder and wait until it listens."""
    graph.start("record_node", output=folder, **parameters)
    graph.wait(lambda: graph.node.count_subscribers(topics.DIAGNOSTICS), "the recorder")


def by_topic(folder: Path) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    with AnyReader([folder]) as reader:
        for connection, _, data in reader.messages():
            found.setdefault(connection.topic, []).append(bytes(data))
    return found


def test_what_is_recorded_is_what_was_heard_and_any_reader_understands_it(graph: Graph, tmp_path: Path) -> None:
    node, bag = graph.node, tmp_path / "bag"
    # The graph's latched messages are older than the recorder; the camera offers less than reliable, and comes later.
    node.create_publisher(PointStamped, topics.GOAL, LATCHED).publish(PointStamped())
    status = node.create_publisher(RobotStatus, topics.ROBOT_STATUS, LATCHED)
    status.publish(RobotStatus(mode=RobotStatus.MODE_HALTED, reason="dead-man"))
    stream = node.create_publisher(KeypointArray, topics.KEYPOINTS, STREAM)
    heard: dict[str, list[bytes]] = {topics.KEYPOINTS: [], topics.IMAGE: []}
    node.create_subscription(KeypointArray, topics.KEYPOINTS, heard[topics.KEYPOINTS].append, STREAM, raw=True)
    recording(graph, bag)
    camera = node.create_publisher(Image, topics.IMAGE, SENSOR_DATA)
    node.create_subscription(Image, topics.IMAGE, heard[topics.IMAGE].append, SENSOR_DATA, raw=True)
    graph.wait(lambda: camera.get_subscription_count() == 2, "the recorder to take what the camera offers")
    graph.wait(lambda: stream.get_subscription_count() == 2, "the recorder to listen to keypoints")
    pictures = np.random.default_rng(0).integers(0, 256, (MESSAGES, 48, 64), np.uint8)
    for number in range(MESSAGES):
        stream.publish(keypoints(number))
        camera.publish(camera_messages.grey_image(pictures[number], to_stamp(number)))
        graph.spin(0.01)
    graph.wait(lambda: [len(each) for each in heard.values()] == [MESSAGES] * 2, "all messages")
    graph.spin(0.5)
    status_code, _ = graph.processes["record_node"].stop()
    log = graph.processes["record_node"].log.read_text()
    assert status_code == 0 and "Traceback" not in log, log
    assert f"messages are in {bag}; nothing came on /camera/camera/infra1/camera_info, " in log

    found = by_topic(bag)
    for topic, messages in heard.items():
        assert found[topics.at_root(topic)] == messages
    assert len(found[topics.at_root(topics.GOAL)]) == len(found[topics.at_root(topics.ROBOT_STATUS)]) == 1
    with AnyReader([bag]) as reader:  # decodes kprl's own messages by what is in the file alone
        for connection, _, data in reader.messages():
            reader.deserialize(data, connection.msgtype)
    # Foxglove's reader.
    with next(bag.glob("*.mcap")).open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        name = topics.at_root(topics.KEYPOINTS)
        read = [(entry.log_time, message) for _, _, entry, message in reader.iter_decoded_messages([name])]
    assert [message.header.stamp.sec for _, message in read] == list(range(MESSAGES))
    for number, (_, message) in enumerate(read):
        values = [(point.u, point.v, point.confidence) for point in message.keypoints]
        sent = [(point.u, point.v, point.confidence) for point in keypoints(number).keypoints]
        assert values == [tuple(np.float32(point).tolist()) for point in sent]
    assert sorted(time for time, _ in read) == [time for time, _ in read]


def test_names_follow_the_namespace_and_the_overlay_is_recorded_on_demand(graph: Graph, tmp_path: Path) -> None:
    overlay = graph.node.create_publisher(Image, f"left/{topics.OVERLAY}", STREAM)
    words = command("record_node", output=tmp_path / "bag", overlay="true")
    process = subprocess.Popen([*words, "-r", "__ns:=/left"], env=environment(graph.domain))
    try:
        graph.wait(overlay.get_subscription_count, "the recorder")
        overlay.publish(Image())
        graph.spin(1.0)
    finally:
        process.terminate()  # ends well on SIGTERM too
        assert process.wait(20.0) == 0
    assert set(by_topic(tmp_path / "bag")) == {"/left/keypoints/image", "/diagnostics"}


def test_two_signals_one_after_the_other_leave_a_whole_file(graph: Graph, tmp_path: Path) -> None:
    """As launch ends a node: SIGINT, and SIGTERM if it takes long; here the disk is slow."""
    slow = (
        "import sys, time, rosbags.rosbag2.writer as w; sys.argv[0] = 'record_node'; close = w.Writer.close\n"
        "def crawl(self):\n    print('closing', flush=True); time.sleep(2.0); close(self)\n"
        "w.Writer.close = crawl; import kprl_inspection.record_node as node; node.main()"
    )
    words = [sys.executable, "-c", slow, "--ros-args", "-p", f"output:={tmp_path / 'bag'}"]
    process = subprocess.Popen(words, env=environment(graph.domain), stdout=subprocess.PIPE, text=True)
    try:
        graph.wait(lambda: graph.node.count_subscribers(topics.DIAGNOSTICS), "the recorder")
        graph.spin(1.5)
        process.send_signal(2)
        assert process.stdout is not None and process.stdout.readline() == "closing\n"
        process.terminate()
        assert process.wait(20.0) == 0
    finally:
        process.kill()
    assert by_topic(tmp_path / "bag")


def test_a_folder_that_exists_is_refused_in_one_line(graph: Graph, tmp_path: Path) -> None:
    words = command("record_node", output=tmp_path)
    ended = subprocess.run(words, env=environment(graph.domain), capture_output=True, text=True, timeout=30.0)
    assert ended.returncode == 2
    reason = "exists: a recording begins a folder of its own, choose another one"
    assert ended.stderr == f"record_node: {tmp_path} {reason}\n"


def test_counters_are_on_diagnostics(graph: Graph, tmp_path: Path) -> None:
    messages = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
    recording(graph, tmp_path / "bag")
    graph.wait(lambda: counts(messages, "record_node").get("messages"), "a count of messages")

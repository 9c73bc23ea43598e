"""Two robots side by side in namespaces, one of them with remapped topics; and nodes that follow a simulated clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, PoseStamped, TwistStamped
from graph_processes import Graph, open_graph
from kprl_interfaces.msg import GripperCommand, KeypointArray
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_srvs.srv import SetBool

from kprl.preprocess import FIELD_OF_VIEW, IMAGE_SIZE, Intrinsics
from kprl_ros import camera_messages, robot_messages, topics
from kprl_ros.stamps import NANOSECONDS, to_nanoseconds, to_stamp
from kprl_ros.topics import LATCHED, NEWEST, STREAM, within

pytestmark = pytest.mark.graph
ROBOTS = {"left": "0.5,0.05,0.15", "right": "0.5,-0.05,0.15"}  # and their goals [m]
NODES = ("sim_bridge", "keypoint_node", "policy_node")
EYE = "eye/image"  # where the right robot's images go
SHARED = {"/rosout", "/parameter_events", topics.DIAGNOSTICS}
SIMULATED = 1000  # [s] of the simulated clock
SHUTDOWN = 2.0  # [s]


@pytest.fixture(scope="module")
def graph(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    with open_graph(2, tmp_path_factory.mktemp("namespaces")) as graph:
        for robot, goal in ROBOTS.items():
            rules = ["-r", f"__ns:=/{robot}"] + (["-r", f"{topics.IMAGE}:={EYE}"] if robot == "right" else [])
            for name, parameters in (
                ("sim_bridge", {"clock": "realtime", "goal": goal}),
                ("keypoint_node", {"model": bundle}),
                ("policy_node", {"bundle": bundle}),
            ):
                graph.start(name, *rules, key=f"{robot}_{name}", **parameters)
        yield graph


def test_each_robot_follows_its_own_policy(graph: Graph) -> None:
    keypoints, commands, poses, goals = (
        {robot: graph.listen(kind, within(robot, topic), quality) for robot in ROBOTS}
        for kind, topic, quality in (
            (KeypointArray, topics.KEYPOINTS, NEWEST),
            (TwistStamped, topics.EE_TWIST_CMD, STREAM),
            (PoseStamped, topics.EE_POSE, STREAM),
            (PointStamped, topics.GOAL, LATCHED),
        )
    )
    for robot, goal in ROBOTS.items():
        graph.wait(lambda robot=robot: keypoints[robot] and goals[robot], f"keypoints of {robot}", 60.0)
        point = goals[robot][-1].point
        assert f"{point.x},{point.y},{point.z}" == goal
    graph.call(SetBool, within("left", topics.POLICY_ENABLE), SetBool.Request(data=True))
    graph.wait(lambda: len(commands["left"]) > 5, "commands of the left policy")
    graph.spin(1.0)
    assert not commands["right"]
    places = {robot: [robot_messages.vector(pose.pose.position) for pose in found] for robot, found in poses.items()}
    moved = {robot: np.ptp(found[-15:], axis=0).max() for robot, found in places.items()}
    assert moved["left"] > 1e-3 > 1e-4 > moved["right"]
    graph.call(SetBool, within("left", topics.POLICY_ENABLE), SetBool.Request(data=False))


def test_nothing_of_a_robot_is_outside_of_its_namespace(graph: Graph) -> None:
    found = {name for name, _ in graph.node.get_topic_names_and_types()}
    assert {name for name in found if not name.startswith(("/left/", "/right/"))} <= SHARED
    services = {name for name, _ in graph.node.get_service_names_and_types()}
    assert {name for name in services if not name.startswith(("/left/", "/right/", "/watcher/"))} == set()


def test_a_topic_is_remapped_for_all_who_use_it(graph: Graph) -> None:
    for image, sender in ((within("left", topics.IMAGE), "/left"), (within("right", EYE), "/right")):
        for query, name in (
            (graph.node.get_publishers_info_by_topic, "sim_bridge"),
            (graph.node.get_subscriptions_info_by_topic, "keypoint_node"),
        ):
            assert [(info.node_namespace, info.node_name) for info in query(image)] == [(sender, name)]
    assert not graph.node.get_publishers_info_by_topic(within("right", topics.IMAGE))


def test_diagnostics_tell_the_robots_apart_and_how_each_does(graph: Graph) -> None:
    heard: list[DiagnosticArray] = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
    wanted = {f"/{robot}/{name}" for robot in ROBOTS for name in NODES}
    graph.wait(lambda: {status.name for message in heard for status in message.status} >= wanted, "all diagnostics")
    newest = {status.name: {value.key: value.value for value in status.values} for m in heard for status in m.status}
    for robot in ROBOTS:
        seen = newest[f"/{robot}/keypoint_node"]
        assert 2.0 < float(seen["rate [Hz]"]) < 25.0  # 20 Hz, on a busy machine fewer
        assert 0.0 < float(seen["latency mean [ms]"]) <= float(seen["latency max [ms]"]) < 5000.0
        assert int(seen["images dropped"]) >= 0 and int(seen["images"]) > 0
        assert 0.0 <= float(seen["confidence least"]) <= float(seen["confidence mean"]) <= 1.0
        assert newest[f"/{robot}/sim_bridge"]["rate [Hz]"] != "0.0"
    assert int(newest["/left/policy_node"]["actions"]) > 0 and "actions" not in newest["/right/policy_node"]
    assert {newest[f"/{robot}/policy_node"]["enabled"] for robot in ROBOTS} == {"no"}
    assert 0.0 <= float(newest["/right/policy_node"]["confidence mean"]) <= 1.0


def test_the_last_error_stays_when_all_is_well_again(graph: Graph) -> None:
    heard: list[DiagnosticArray] = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
    twists = graph.node.create_publisher(TwistStamped, within("right", topics.EE_TWIST_CMD), STREAM)
    graph.wait(twists.get_subscription_count, "the right bridge")
    message = TwistStamped()
    message.header.frame_id = "tool0"
    twists.publish(message)
    errors: list[tuple[str, str]] = []

    def has_recovered() -> bool:
        for array in heard:
            for status in array.status:
                if status.name == "/right/sim_bridge":
                    values = {value.key: value.value for value in status.values}
                    errors.append((status.message, values["last error"]))
        heard.clear()
        return bool(errors) and errors[-1][0] == "ok" and "tool0" in errors[-1][1]

    graph.wait(has_recovered, "the last error")
    assert any("tool0" in said for said, _ in errors)


def test_each_of_two_robots_ends_at_once(graph: Graph) -> None:
    for name, process in graph.processes.items():
        status, seconds = process.stop()
        assert (status, seconds < SHUTDOWN) == (0, True), f"{name} ended with {status} after {seconds:.1f} s"


def test_nodes_follow_a_simulated_clock(bundle: Path, tmp_path: Path) -> None:
    """Time that stands still is fresh, and the wall clock's stamps are far ahead of it."""
    with open_graph(5, tmp_path) as graph:
        parameters = {"bundle": bundle, "clock": "realtime", "auto_start": "true", "use_sim_time": "true"}
        graph.start("policy_node", **parameters)
        graph.start("keypoint_node", model=bundle, use_sim_time="true")
        node = graph.node
        clock = node.create_publisher(Clock, topics.CLOCK, STREAM)
        senders = {
            topic: node.create_publisher(kind, topic, quality)
            for kind, topic, quality in (
                (Image, topics.IMAGE, STREAM),
                (CameraInfo, topics.CAMERA_INFO, STREAM),
                (PoseStamped, topics.EE_POSE, STREAM),
                (JointState, topics.JOINT_STATES, STREAM),
                (PointStamped, topics.GOAL, LATCHED),
            )
        }
        commands: list[GripperCommand] = graph.listen(GripperCommand, topics.GRIPPER_CMD, STREAM)
        heard: list[DiagnosticArray] = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
        graph.wait(lambda: all(sender.get_subscription_count() for sender in senders.values()), "both nodes", 60.0)
        info = camera_messages.camera_info(Intrinsics.from_field_of_view(FIELD_OF_VIEW, IMAGE_SIZE, IMAGE_SIZE))
        grey = np.random.default_rng(0).integers(0, 256, (IMAGE_SIZE, IMAGE_SIZE), np.uint8)
        now = SIMULATED * NANOSECONDS

        def observe(stamp: int) -> None:
            nonlocal now
            now += NANOSECONDS // 20
            clock.publish(Clock(clock=to_stamp(now)))
            time = to_stamp(stamp or now)
            info.header.stamp = time
            senders[topics.CAMERA_INFO].publish(info)
            senders[topics.GOAL].publish(robot_messages.goal_point(np.array([0.5, 0.0, 0.15]), time))
            senders[topics.EE_POSE].publish(
                robot_messages.pose(np.array([0.5, 0.0, 0.1]), np.array([1.0, 0.0, 0.0, 0.0]), time)
            )
            senders[topics.JOINT_STATES].publish(robot_messages.joint_state(np.zeros(6), 0.05, time))
            senders[topics.IMAGE].publish(camera_messages.grey_image(grey, time))

        def acts() -> bool:
            observe(0)
            return len(commands) > 3

        graph.wait(acts, "commands at simulated times")
        stamps = [to_nanoseconds(command.header.stamp) for command in commands]
        assert all(SIMULATED * NANOSECONDS < stamp <= now for stamp in stamps)

        def tells_simulated_time() -> bool:
            observe(0)
            stamps = {status.name: message.header.stamp.sec for message in heard for status in message.status}
            return set(stamps.values()) <= {*range(SIMULATED, SIMULATED + 100)} and len(stamps) == 2

        heard.clear()
        graph.wait(tells_simulated_time, "diagnostics with simulated stamps")

        def is_refused() -> bool:
            observe(node.get_clock().now().nanoseconds)  # of the wall clock
            said = [status.message for message in heard for status in message.status]
            return any("ahead of this machine's clock" in message for message in said)

        graph.wait(is_refused, "the refusal of stamps of another clock")

"""The deployment graph in real time: bridge, keypoint node and policy node, as processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, PoseStamped, TwistStamped
from graph_processes import Graph, counts, open_graph
from kprl_interfaces.action import RunEpisode
from kprl_interfaces.msg import GripperCommand, KeypointArray, RobotStatus, SimTruth
from rclpy.action import ActionClient
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_srvs.srv import SetBool
from visualization_msgs.msg import MarkerArray

from kprl.control.limits import WORKSPACE
from kprl_ros import topics
from kprl_ros.stamps import to_nanoseconds
from kprl_ros.topics import LATCHED, NEWEST, STREAM, at_root

pytestmark = pytest.mark.graph
NODES = ("sim_bridge", "keypoint_node", "policy_node")
TOPICS = {
    topics.IMAGE: Image,
    topics.CAMERA_INFO: CameraInfo,
    topics.KEYPOINTS: KeypointArray,
    topics.OVERLAY: Image,
    topics.JOINT_STATES: JointState,
    topics.EE_POSE: PoseStamped,
    topics.GOAL: PointStamped,
    topics.EE_TWIST_CMD: TwistStamped,
    topics.GRIPPER_CMD: GripperCommand,
    topics.EE_TWIST_APPLIED: TwistStamped,
    topics.ROBOT_STATUS: RobotStatus,
    topics.MARKERS: MarkerArray,
    topics.DIAGNOSTICS: DiagnosticArray,
    topics.SIM_TRUTH: SimTruth,
}


@pytest.fixture(scope="module")
def graph(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    with open_graph(2, tmp_path_factory.mktemp("realtime")) as graph:
        graph.start("sim_bridge", clock="realtime", goal="0.5,0.05,0.15")
        graph.start("keypoint_node", model=bundle)
        graph.start("policy_node", bundle=bundle, task="grasp")
        graph.wait(lambda: graph.node.count_publishers(topics.MARKERS), "the policy node")
        graph.wait(lambda: graph.node.count_publishers(topics.SIM_TRUTH), "the bridge")
        yield graph


def test_topics_have_the_types_of_the_design(graph: Graph) -> None:
    def found() -> dict[str, list[str]]:
        return dict(graph.node.get_topic_names_and_types())

    names = {graph.node.resolve_topic_name(topic) for topic in TOPICS}
    graph.wait(lambda: names <= set(found()), "all topics")
    for topic, kind in TOPICS.items():
        package = kind.__module__.split(".")[0]
        assert found()[graph.node.resolve_topic_name(topic)] == [f"{package}/msg/{kind.__name__}"]
    assert topics.CLOCK not in found()


def test_no_node_of_the_deployment_graph_listens_to_the_truth(graph: Graph) -> None:
    private = [name for name, _ in graph.node.get_topic_names_and_types() if name.startswith("/sim/")]
    assert private == [at_root(topics.SIM_TRUTH)]
    listeners = [info.node_name for info in graph.node.get_subscriptions_info_by_topic(topics.SIM_TRUTH)]
    assert not set(listeners) & set(NODES)


def test_dead_man_stops_the_arm_and_says_so(graph: Graph) -> None:
    status = graph.listen(RobotStatus, topics.ROBOT_STATUS, LATCHED)
    applied = graph.listen(TwistStamped, topics.EE_TWIST_APPLIED, STREAM)
    commands = graph.node.create_publisher(TwistStamped, topics.EE_TWIST_CMD, STREAM)
    graph.wait(commands.get_subscription_count, "the bridge")
    message = TwistStamped()
    message.header.frame_id, message.twist.linear.z = "base_link", 0.1

    def moving() -> bool:
        commands.publish(message)
        return applied[-1].twist.linear.z > 0.02 if applied else False

    graph.wait(moving, "the arm to move")
    graph.wait(lambda: status and status[-1].mode == RobotStatus.MODE_HALTED, "the dead-man")
    assert "dead-man" in status[-1].reason
    # It brakes within the limit on acceleration, then stands.
    graph.wait(lambda: not np.any([applied[-1].twist.linear.x, applied[-1].twist.linear.z]), "standstill")
    message.header.frame_id = "tool0"
    for _ in range(5):
        commands.publish(message)
        graph.spin(0.05)
    assert status[-1].mode == RobotStatus.MODE_HALTED
    assert applied[-1].twist.linear.z == 0.0


def test_policy_acts_only_when_enabled_and_in_pairs(graph: Graph) -> None:
    twists = graph.listen(TwistStamped, topics.EE_TWIST_CMD, STREAM)
    grippers = graph.listen(GripperCommand, topics.GRIPPER_CMD, STREAM)
    markers = graph.listen(MarkerArray, topics.MARKERS, NEWEST)
    graph.spin(0.5)
    assert not twists and not grippers
    assert graph.call(SetBool, topics.POLICY_ENABLE, SetBool.Request(data=True)).success
    graph.wait(lambda: len(twists) > 5 and len(grippers) > 5, "commands")
    graph.call(SetBool, topics.POLICY_ENABLE, SetBool.Request(data=False))
    graph.spin(0.5)
    assert np.all(
        [twists[-1].twist.linear.x, twists[-1].twist.linear.y, twists[-1].twist.linear.z] == np.zeros(3)
    )
    stamps = {to_nanoseconds(message.header.stamp) for message in twists}
    assert {to_nanoseconds(message.header.stamp) for message in grippers} <= stamps
    assert {message.header.frame_id for message in twists} == {"base_link"}
    after = len(twists)
    graph.spin(0.3)
    assert len(twists) == after
    graph.wait(lambda: len(markers[-1].markers) == 3 if markers else False, "workspace, goal and velocity")
    box = markers[-1].markers[0]
    assert box.scale.x == pytest.approx(WORKSPACE.upper[0] - WORKSPACE.lower[0])
    goal = markers[-1].markers[1].pose.position
    assert (goal.x, goal.y, goal.z) == pytest.approx((0.5, 0.05, 0.15))


def test_run_episode_resets_acts_and_reports(graph: Graph) -> None:
    truths = graph.listen(SimTruth, topics.SIM_TRUTH, STREAM)
    client = ActionClient(graph.node, RunEpisode, topics.RUN_EPISODE)
    graph.wait(client.server_is_ready, "the action")
    sent = client.send_goal_async(RunEpisode.Goal(seed=11, max_steps=10))
    graph.spin(10.0, sent)
    assert sent.result().accepted
    second = client.send_goal_async(RunEpisode.Goal(seed=12, max_steps=10))
    graph.spin(10.0, second)
    assert not second.result().accepted  # one at a time
    answer = sent.result().get_result_async()
    graph.spin(30.0, answer)
    result = answer.result().result
    assert result.steps == 10
    assert result.outcome in ("nothing_held", "not_at_goal", "success")
    assert truths[-1].seed == 11

    sent = client.send_goal_async(RunEpisode.Goal(seed=13, max_steps=100_000))
    graph.spin(10.0, sent)
    cancelled = sent.result().cancel_goal_async()
    graph.spin(10.0, cancelled)
    answer = sent.result().get_result_async()
    graph.spin(10.0, answer)
    assert answer.result().result.outcome == "cancelled"
    client.destroy()


def test_a_silent_topic_is_named_by_who_waits_for_it(graph: Graph) -> None:
    diagnostics = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
    graph.call(SetBool, topics.POLICY_ENABLE, SetBool.Request(data=True))
    beginnings = {
        "/keypoint_node": f"no message on {at_root(topics.IMAGE)} for ",
        "/policy_node": f"no message on {at_root(topics.CAMERA_INFO)}, /keypoints, ",
    }

    def have_said() -> bool:
        said = [(status.name, status.message) for message in diagnostics for status in message.status]
        return all(
            any(name == node and reason.startswith(beginning) for name, reason in said)
            for node, beginning in beginnings.items()
        )

    with graph.processes["sim_bridge"].frozen():
        graph.wait(have_said, "both nodes to say what they wait for")
    graph.call(SetBool, topics.POLICY_ENABLE, SetBool.Request(data=False))
    # A policy that is not to act waits for nothing.
    graph.spin(2.5)  # what was counted before it was disabled comes with the next two diagnostics
    before = counts(diagnostics, "policy_node")["waiting"]
    with graph.processes["keypoint_node"].frozen():
        graph.spin(3.5)
    assert counts(diagnostics, "policy_node")["waiting"] == before


def test_an_evaluation_of_a_broken_graph_is_an_error(graph: Graph, tmp_path: Path) -> None:
    diagnostics = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
    twists = graph.listen(TwistStamped, topics.EE_TWIST_CMD, STREAM)
    evaluation = graph.start("evaluate_node", output=tmp_path, episodes=2, max_steps=1000)
    graph.wait(lambda: twists, "the policy to act")
    with graph.processes["keypoint_node"].frozen():
        graph.wait(lambda: evaluation.popen.poll() is not None, "the end of the evaluation")
    assert evaluation.popen.returncode == 2
    last = evaluation.log.read_text().splitlines()[-1]
    expected = "evaluate_node: the episode of seed 3000000 failed: no_observations: no message on /keypoints; are the "
    assert last.startswith(expected), last
    assert not list(tmp_path.iterdir())
    assert any(message.status[0].name == "/evaluate_node" for message in diagnostics)


def test_sigint_ends_each_node_at_once(graph: Graph) -> None:
    for name in NODES:
        status, seconds = graph.processes[name].stop()
        log = graph.processes[name].log.read_text()
        assert (status, seconds < 2.0) == (0, True), (
            f"{name} ended with {status} after {seconds:.1f} s: {log}"
        )
        assert "Traceback" not in log

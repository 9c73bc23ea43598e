"""The sim bridge in lockstep and the keypoint node, as processes, against the same world in process."""

from __future__ import annotations

import json
import subprocess
import time
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from graph_processes import Graph, counts, environment, open_graph
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import TimeLimit
from kprl_interfaces.msg import GripperCommand, SimTruth
from kprl_interfaces.srv import ResetEpisode
from rclpy.node import Node
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from kprl.action import action_to_command
from kprl.bundle import load_bundle
from kprl.envs.manipulation import ManipulationEnv
from kprl.envs.world import World
from kprl.errors import KprlError
from kprl.keypoints.encoder import Encoder
from kprl.tasks import make_task
from kprl_policy.topic_env import TopicEnv
from kprl_ros import topics
from kprl_ros.camera_messages import image_array
from kprl_ros.launching import bundle_folder
from kprl_ros.stamps import to_nanoseconds
from kprl_ros.topics import NEWEST, STREAM

pytestmark = pytest.mark.graph
STEPS = 30
SEEDS = (7, 8)
PERIOD = 50_000_000  # [ns]
EPISODES, PARITY_STEPS = 20, 40
TOLERANCE = 1e-6


@pytest.fixture(scope="module")
def graph(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    with open_graph(0, tmp_path_factory.mktemp("lockstep")) as graph:
        graph.start("sim_bridge", clock="lockstep")
        graph.start("keypoint_node", model=model, overlay_period=0.0)
        yield graph


def actions() -> np.ndarray:
    return np.random.default_rng(3).uniform(-1, 1, (STEPS, 4)).astype(np.float32)


def stamp_of(message: Any) -> int:
    """[ns]"""
    return to_nanoseconds(message.clock if isinstance(message, Clock) else message.header.stamp)


def test_seed_and_actions_give_the_same_world_as_in_process(graph: Graph) -> None:
    images = graph.listen(Image, topics.IMAGE, STREAM)
    truths = graph.listen(SimTruth, topics.SIM_TRUTH, STREAM)
    clocks = graph.listen(Clock, topics.CLOCK, STREAM)
    # A node of its own: messages that one executor knew of and did not take are lost for the next one.
    node = Node("trainer", context=graph.context)
    env = TopicEnv(node)

    def watch() -> None:
        graph.wait(lambda: all(ms and stamp_of(ms[-1]) >= env.stamp for ms in (images, truths, clocks)), "the messages")

    for _ in range(20):  # discovery: each topic connects in its own time
        env.reset(seed=0)
        graph.spin(0.5)
        if images and truths and clocks:
            break
    begin = env.stamp + 1
    seen = []
    for seed in SEEDS:
        seen.append(env.reset(seed=seed))
        watch()
        for action in actions():
            observation, _, _, _, info = env.step(action)
            seen.append((observation, info))
            watch()
    env.close()
    node.destroy_node()
    images, truths, clocks = ([m for m in ms if stamp_of(m) >= begin] for ms in (images, truths, clocks))
    # One image, one truth, one tick for each observation: nothing lost, nothing doubled, time only grows.
    assert len(images) == len(truths) == len(clocks) == len(seen) == len(SEEDS) * (STEPS + 1)
    stamps = [stamp_of(clock) for clock in clocks]
    assert np.all(np.diff(stamps) == PERIOD)
    assert [stamp_of(truth) for truth in truths] == [stamp_of(image) for image in images] == stamps

    world, task, index = World(), make_task("grasp", "env1"), 0
    for seed in SEEDS:
        snapshot = world.reset(seed)
        for step in range(STEPS + 1):
            observation, info = seen[index]
            np.testing.assert_array_equal(image_array(images[index]), snapshot.image)
            place = truths[index].object_pose.position
            np.testing.assert_allclose((place.x, place.y, place.z), snapshot.object_position, atol=1e-6)
            np.testing.assert_allclose(observation["achieved_goal"], snapshot.object_position, atol=1e-6)
            np.testing.assert_allclose(observation["desired_goal"], snapshot.goal, atol=1e-6)
            np.testing.assert_allclose(info["privileged"][10:13], snapshot.applied_linear, atol=1e-6)
            assert (truths[index].seed, truths[index].step) == (seed, step)
            assert truths[index].is_success == task.is_success(snapshot.object_position, snapshot.goal)
            if step < STEPS:
                snapshot = world.step(action_to_command(actions()[step], snapshot.opening))
            index += 1
    world.close()


class Watched:
    """An encoder that remembers the image that it was given last."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder, self.num_keypoints = encoder, encoder.num_keypoints
        self.image = np.zeros(0)

    def encode(self, images: np.ndarray) -> np.ndarray:
        self.image = images[0]
        return self._encoder.encode(images)


@pytest.mark.slow
@pytest.mark.parametrize(("task", "scene"), [("grasp", "env1"), ("grasp", "env2"), ("push", "env1")])
def test_a_bundle_sees_and_does_the_same_over_topics_as_in_process(task: str, scene: str, tmp_path: Path) -> None:
    """Twenty episodes of every task that a bundle ships for: its own actions, and now and then a random one."""
    folder = bundle_folder("", task, scene)
    bundle = load_bundle(folder, task)
    thing, rng, encoder = bundle.info["object"], np.random.default_rng(11), Watched(bundle.encoder)
    here = ManipulationEnv(task, scene, thing, observation="keypoints", encoder=encoder)
    with open_graph(1, tmp_path) as graph:
        graph.start("sim_bridge", task=task, scene=scene, object=thing, clock="lockstep")
        graph.start("keypoint_node", model=folder)
        node = Node("trainer", context=graph.context)  # of its own: two executors share no node
        images = graph.listen(Image, topics.IMAGE, STREAM)
        there = TopicEnv(node, bundle.encoder.num_keypoints)
        graph.wait(lambda: there.reset(seed=0) and graph.spin(0.5) or images, "the images")

        def compare(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> None:
            deadline = time.monotonic() + 20.0
            while not (images and stamp_of(images[-1]) >= there.stamp) and time.monotonic() < deadline:
                graph.spin(0.002)
            assert stamp_of(images[-1]) == there.stamp
            np.testing.assert_array_equal(image_array(images[-1]), encoder.image)
            assert ours[0].keys() == theirs[0].keys()
            for key, value in theirs[0].items():
                np.testing.assert_allclose(ours[0][key], value, rtol=0, atol=TOLERANCE, err_msg=key)
            np.testing.assert_allclose(ours[-1]["privileged"], theirs[-1]["privileged"], rtol=0, atol=TOLERANCE)
            assert ours[1:-1] == pytest.approx(theirs[1:-1], abs=TOLERANCE)  # of steps: reward, ended, out of time
            assert ours[-1]["is_success"] == theirs[-1]["is_success"]
            images.clear()

        for episode in range(EPISODES):
            options = {"start": ("ordinary", "curriculum")[episode % 2]}
            ours, theirs = there.reset(seed=episode, options=options), here.reset(seed=episode, options=options)
            compare(ours, theirs)
            for _ in range(PARITY_STEPS):
                seen = theirs[0]
                action = bundle.policy.act(seen["observation"], seen["desired_goal"])
                if rng.random() < 0.2:
                    action = rng.uniform(-1, 1, 4).astype(np.float32)
                ours, theirs = there.step(action), here.step(action)
                compare(ours, theirs)
        there.close()
        node.destroy_node()
    here.close()


def test_environment_is_that_of_gymnasium(graph: Graph, model: Path) -> None:
    graph.release_node()
    over_topics = TopicEnv(graph.node, num_keypoints=4)
    in_process = ManipulationEnv(observation="keypoints", encoder=model)
    assert over_topics.observation_space == in_process.observation_space
    for options in ({"start": "ordinary"}, {"start": "curriculum"}):
        ours, theirs = over_topics.reset(seed=5, options=options), in_process.reset(seed=5, options=options)
        for action in actions()[:5]:
            for key, value in theirs[0].items():
                np.testing.assert_allclose(ours[0][key], value, atol=1e-6)
            np.testing.assert_allclose(ours[1]["privileged"], theirs[1]["privileged"], atol=1e-6)
            assert ours[1]["regulation"] == theirs[1]["regulation"]
            mine, reward, *_, info = over_topics.step(action)
            other, expected, *_, expected_info = in_process.step(action)
            assert reward == pytest.approx(expected, abs=1e-6)
            ours, theirs = (mine, info), (other, expected_info)
    check_env(TimeLimit(over_topics, 10).unwrapped, skip_render_check=True)
    with pytest.raises(KprlError, match="unknown start 'sideways'"):
        over_topics.reset(seed=0, options={"start": "sideways"})
    over_topics.close()
    in_process.close()


def test_a_node_that_hangs_is_named_after_the_step_timeout(graph: Graph) -> None:
    graph.release_node()
    env = TopicEnv(graph.node, step_timeout=1.0)
    env.reset(seed=1)
    with graph.processes["keypoint_node"].frozen():
        began = time.monotonic()
        with pytest.raises(KprlError, match="no message on /keypoints in time after command 1: is the keypoint node"):
            env.step(np.zeros(4, np.float32))
        assert 0.9 < time.monotonic() - began < 5.0
    env.close()


def test_only_a_valid_pair_moves_the_world(graph: Graph) -> None:
    truths = graph.listen(SimTruth, topics.SIM_TRUTH, STREAM)
    diagnostics = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
    twists = graph.node.create_publisher(TwistStamped, topics.EE_TWIST_CMD, STREAM)
    grippers = graph.node.create_publisher(GripperCommand, topics.GRIPPER_CMD, STREAM)
    graph.wait(lambda: twists.get_subscription_count() and grippers.get_subscription_count(), "the bridge")
    graph.wait(lambda: counts(diagnostics, "sim_bridge"), "diagnostics of the bridge")
    before = counts(diagnostics, "sim_bridge")
    stamp: Time = graph.call(ResetEpisode, topics.RESET_EPISODE, ResetEpisode.Request(seed=1)).stamp
    graph.wait(lambda: truths and truths[-1].header.stamp == stamp, "the first observation")

    def twist(x: float = 0.1, frame: str = "base_link", at: Time = stamp) -> None:
        message = TwistStamped()
        message.header.stamp, message.header.frame_id, message.twist.linear.x = at, frame, x
        twists.publish(message)

    def gripper(opening: float = 0.05, at: Time = stamp) -> None:
        message = GripperCommand(opening=opening, speed=0.1, force=40.0)
        message.header.stamp = at
        grippers.publish(message)

    twist(frame="tool0")
    twist(x=float("nan"))
    twist(at=Time(sec=stamp.sec + 1))
    gripper(opening=float("inf"))
    gripper(opening=0.2)
    gripper()  # valid, but no velocity yet

    def refused() -> bool:
        now = counts(diagnostics, "sim_bridge")
        added = {
            key: now.get(key, 0) - before.get(key, 0)
            for key in ("twists refused", "gripper commands refused")
        }
        return added == {"twists refused": 3, "gripper commands refused": 2}

    graph.wait(refused, "the refusals in /diagnostics")
    assert truths[-1].step == 0
    twist()
    graph.wait(lambda: truths[-1].step == 1, "one step for one valid pair")
    twist()  # of the old stamp
    gripper()
    graph.spin(0.3)
    assert truths[-1].step == 1


def test_damaged_images_are_refused_and_the_overlay_comes_when_asked_for(graph: Graph) -> None:
    overlays = graph.listen(Image, topics.OVERLAY, NEWEST)
    diagnostics = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
    images = graph.node.create_publisher(Image, topics.IMAGE, STREAM)
    graph.wait(images.get_subscription_count, "the keypoint node")
    refused = counts(diagnostics, "keypoint_node").get("images refused", 0)
    for size, encoding, data in ((64, "mono8", 100), (64, "rgb16", 64 * 64), (32, "mono8", 32 * 32)):
        images.publish(
            Image(width=size, height=size, step=size, encoding=encoding, data=array("B", bytes(data)))
        )
        graph.spin(0.2)  # one at a time: of several that wait the node takes the newest
    graph.wait(
        lambda: counts(diagnostics, "keypoint_node").get("images refused", 0) >= refused + 3, "refusals"
    )
    assert graph.processes["keypoint_node"].popen.poll() is None
    overlays.clear()
    graph.call(ResetEpisode, topics.RESET_EPISODE, ResetEpisode.Request(seed=2))
    graph.wait(lambda: overlays, "an overlay image")
    assert image_array(overlays[-1]).shape == (320, 320, 3)


def test_the_command_line_trains_over_topics(graph: Graph, model: Path, tmp_path: Path) -> None:
    command = ["kprl", "policy", "train", "--env", "topics", "--keypoints", str(model), "--out", str(tmp_path / "run"),
               "--steps", "150", "--random-steps", "50", "--evaluation-episodes", "1", "--final-episodes", "1",
               "--learner", "inline"]  # fmt: skip
    done = subprocess.run(command, env=environment(graph.domain), timeout=120, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "summary.json").is_file()
    assert json.loads((tmp_path / "run" / "bundle" / "bundle.json").read_text())["num_keypoints"] == 4


def test_a_topic_that_never_arrives_is_named_in_time(tmp_path: Path) -> None:
    with open_graph(1, tmp_path) as graph:
        began = time.monotonic()
        with pytest.raises(KprlError, match="no node offers /reset_episode: is a sim bridge running"):
            TopicEnv(graph.node, connect_timeout=1.0)
        assert time.monotonic() - began < 3.0
        graph.start("sim_bridge", clock="lockstep")
        graph.wait(lambda: graph.node.count_publishers(topics.IMAGE), "the bridge")
        graph.release_node()
        with pytest.raises(KprlError, match="no message on /keypoints .*is the keypoint node running"):
            TopicEnv(graph.node, connect_timeout=3.0)
        assert graph.processes["sim_bridge"].stop()[0] == 0

"""The evaluate node: runs episodes through /run_episode, judges them, writes result.json.

It is a measuring instrument beside the deployment graph, not a part of it: it alone listens to /sim/truth, where there
is one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from kprl_interfaces.action import RunEpisode
from kprl_interfaces.msg import SimTruth
from rclpy.action import ActionClient
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import Image
from tqdm import tqdm

from kprl.control.limits import CONTROL_PERIOD
from kprl.errors import KprlError
from kprl.files import write_json
from kprl_policy.evaluation_worlds import BridgeWorld, RealWorld, WorkcellWorld, World
from kprl_policy.judge import RESET_FAILED, TruthSample, episode_report, result, why_broken
from kprl_policy.overlay_film import OverlayFilm
from kprl_ros import camera_messages, topics
from kprl_ros.diagnostics import Diagnostics
from kprl_ros.parameters import declare, declare_choice, declare_path
from kprl_ros.shell import make_executor, run_job, spin_until
from kprl_ros.stamps import to_nanoseconds
from kprl_ros.topics import NEWEST

SERVER_TIMEOUT = 60.0  # [s] in which the policy node must offer /run_episode
ACCEPT_TIMEOUT = 10.0  # [s] in which it must accept an episode
SLACK = 30.0  # [s] beyond its control periods that an episode may take
FAULTS_IN_A_ROW = 3  # episodes in which the graph failed, after which it is taken for broken
FILMED_EPISODES = 3
WORLDS = ["bridge", "workcell", "real"]


class EvaluateNode(Node):
    """A client of /run_episode."""

    def __init__(self, **settings: Any) -> None:
        super().__init__("evaluate_node", **settings)
        self._episodes = declare(self, "episodes", 20, "how many", (1, 100_000))
        self._seed = declare(
            self, "seed", 3_000_000, "seed of the first episode; the next ones count up", (0, 2**62)
        )
        self._max_steps = declare(self, "max_steps", 50, "control periods of an episode", (1, 100_000))
        self._output = declare_path(self, "output", "the folder for result.json")
        self._bundle = declare(self, "bundle", "", "written into result.json")
        film = declare(self, "film", False, "record /keypoints/image of the first episodes to episodes.gif")
        kind = declare_choice(self, "world", "bridge", "where the episodes happen", WORLDS)
        confirms = declare(self, "confirm_episodes", False, "a person permits each: as the policy node has it")
        self._film = OverlayFilm()
        self._diagnostics = Diagnostics(self)
        self._client: ActionClient[Any, Any, Any] = ActionClient(self, RunEpisode, topics.RUN_EPISODE)
        self._action = self.resolve_service_name(topics.RUN_EPISODE)
        self._overlay = self.create_subscription(Image, topics.OVERLAY, self._on_overlay, NEWEST) if film else None
        self._executor = make_executor(self)
        # A robot may have a fault, and a person may stop it: that episode has failed, the evaluation goes on.
        self._patience = 1 if kind == "bridge" else FAULTS_IN_A_ROW
        self._faults = 0
        self._world = self._make_world(kind, confirms)

    def evaluate(self) -> dict[str, Any]:
        """Run all episodes, writing the result after each: one that breaks off leaves what there was. Returns it."""
        self._wait_for_server()
        self._world.connect()
        reports: list[dict[str, Any]] = []
        value: dict[str, Any] = {}
        about = {"asked": self._episodes, "seed": self._seed, "max_steps": self._max_steps, "bundle": self._bundle}
        with tqdm(range(self._episodes), desc="episodes", mininterval=1.0) as bar:
            for number in bar:
                reports.append(self._episode(self._seed + number, number + 1))
                value = result(reports, about)
                write_json(self._output / "result.json", value)
                bar.set_postfix_str(reports[-1]["outcome"])
                if self._overlay is not None and number + 1 == FILMED_EPISODES:
                    self.destroy_subscription(self._overlay)  # spares the keypoint node the drawing
        self._film.write(self._output / "episodes.gif")
        return value

    @property
    def result_file(self) -> Path:
        """Where the result goes."""
        return self._output / "result.json"

    def _make_world(self, kind: str, confirms: bool) -> World:
        def handle(future: Future[Any], seconds: float) -> bool:
            return spin_until(self._executor, future, seconds)

        if kind == "bridge":
            return BridgeWorld(self, handle, self._seed + self._episodes)
        return WorkcellWorld(self, handle) if kind == "workcell" else RealWorld(self, self._episodes, confirms)

    def _wait_for_server(self) -> None:
        ready: Future[None] = Future()

        def look() -> None:
            if self._client.server_is_ready() and not ready.done():
                ready.set_result(None)

        timer = self.create_timer(0.1, look)
        if not spin_until(self._executor, ready, SERVER_TIMEOUT):
            raise KprlError(
                f"no node offered {self._action} within {SERVER_TIMEOUT:g} s: is the policy node running, "
                "with the same ROS_DOMAIN_ID?"
            )
        self.destroy_timer(timer)

    def _episode(self, seed: int, number: int) -> dict[str, Any]:
        """Prepare, run and judge one episode."""
        try:
            self._world.prepare(seed, number)
        except KprlError as error:
            says = f"{RESET_FAILED}: {error}"
            self._count_fault(seed, says)
            return episode_report(seed, says, 0, [])
        ended = self._run(seed)
        self._count_fault(seed, ended.outcome)
        truth = self._world.truth(seed, ended.steps)
        if truth:
            self._film.end_episode(*(to_nanoseconds(message.header.stamp) for message in (truth[0], truth[-1])))
        self._diagnostics.counts["episodes"] += 1
        return episode_report(seed, ended.outcome, ended.steps, [_sample(message) for message in truth])

    def _count_fault(self, seed: int, says: str) -> None:
        """Errors: `KprlError` where the graph has failed so often that it is taken for broken."""
        broken = why_broken(says)
        self._faults = self._faults + 1 if broken else 0
        if self._faults == self._patience:
            raise KprlError(f"the episode of seed {seed} failed: {broken}")
        if broken:
            self.get_logger().error(f"the episode of seed {seed} failed: {broken}")

    def _run(self, seed: int) -> RunEpisode.Result:
        """Have the policy node run an episode. Errors: `KprlError` where it does not answer."""
        sent = self._client.send_goal_async(RunEpisode.Goal(seed=seed, max_steps=self._max_steps))
        if not spin_until(self._executor, sent, ACCEPT_TIMEOUT):
            raise KprlError(
                f"no answer from {self._action} in {ACCEPT_TIMEOUT:g} s: see the policy node's log"
            )
        handle = sent.result()
        if handle is None or not handle.accepted:
            raise KprlError(
                f"{self._action} refused the episode: the policy node is busy with another one"
            )
        answer = handle.get_result_async()
        timeout = self._max_steps * CONTROL_PERIOD + SLACK + self._world.patience
        if not spin_until(self._executor, answer, timeout):
            raise KprlError(
                f"{self._action} did not end within {timeout:g} s: see the policy node's log"
            )
        ended = answer.result()
        assert ended is not None
        return ended.result

    def _on_overlay(self, message: Image) -> None:
        frame = camera_messages.image_array(message).copy()
        self._film.add(to_nanoseconds(message.header.stamp), frame)


def _sample(message: SimTruth) -> TruthSample:
    place = message.object_pose.position
    return TruthSample(message.step, message.engaged, message.is_success, (place.x, place.y, place.z))


def evaluate() -> None:
    """Make the node, run the episodes, say how they went."""
    node = EvaluateNode()
    try:
        value = node.evaluate()
        outcomes = ", ".join(f"{kind} {count}" for kind, count in sorted(value["outcomes"].items()))
        rate = "not known" if value["success_rate"] is None else f"{value['success_rate']:.0%}"
        print(f"success {rate} of {value['episodes']} episodes ({outcomes}); {node.result_file}", flush=True)
    finally:
        node.destroy_node()


def main() -> None:
    """Entry point."""
    sys.exit(run_job(evaluate))

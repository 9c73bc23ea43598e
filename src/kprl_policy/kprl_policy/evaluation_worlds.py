"""The worlds in which episodes are evaluated: who lays a scene out, and who tells the truth about it afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from kprl_interfaces.msg import SimTruth
from kprl_interfaces.srv import ResetEpisode
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import Trigger

from kprl.errors import KprlError
from kprl_policy.judge import newest_world
from kprl_ros import topics
from kprl_ros.stamps import to_nanoseconds
from kprl_ros.topics import STREAM

CONNECT_TIMEOUT = 60.0  # [s] in which the world must be there
RESET_PERIOD = 0.5  # [s] between two resets that are to bring a first truth
RESET_TIMEOUT = 30.0  # [s] for the driver to go home and open the gripper
READY_TIMEOUT = 30.0  # [s] for a robot that was stopped to get home again, and for the scene to be laid then
RETRY_PERIOD = 0.5  # [s]
TRUTH_TIMEOUT = 5.0  # [s] in which the truth of an episode's end must come
TRUTH_POLL = 0.01  # [s]
PERSON_TIMEOUT = 3600.0  # [s] that a person may take between two episodes

Spin = Callable[[Future[Any], float], bool]  # handle events until it is done or so many seconds are over


class World(Protocol):
    """Where an episode happens."""

    patience: float  # [s] that an episode may wait for its beginning

    def connect(self) -> None:
        """Wait until the world is there. Errors: `KprlError`."""

    def prepare(self, seed: int, number: int) -> None:
        """Before the episode of this `seed`, the `number`th from 1 on. Errors: `KprlError`."""

    def truth(self, seed: int, steps: int) -> list[SimTruth]:
        """The truth of the episode that has just ended after `steps`, to its end. Errors: `KprlError`."""


class BridgeWorld:
    """The sim bridge: /reset_episode lays the scene, its truth counts steps from there."""

    patience = 0.0

    def __init__(self, node: Node, spin: Spin, spare_seed: int) -> None:
        self._node, self._spin, self._spare_seed = node, spin, spare_seed
        self._heard: list[SimTruth] = []
        self._truth_topic = node.resolve_topic_name(topics.SIM_TRUTH)
        node.create_subscription(SimTruth, topics.SIM_TRUTH, self._heard.append, STREAM)

    def connect(self) -> None:
        """Wait for any truth at all: in lockstep none comes before a reset, so ask for resets until one does.

        The spare seed is that of no episode: the truth of this world must not pass for the truth of one.
        """
        client: Client[Any, Any] = self._node.create_client(ResetEpisode, topics.RESET_EPISODE)
        deadline = time.monotonic() + CONNECT_TIMEOUT
        while not self._heard:
            if time.monotonic() >= deadline:
                raise KprlError(
                    f"no message on {self._truth_topic} within {CONNECT_TIMEOUT:g} s: is a sim bridge running, "
                    "with the same ROS_DOMAIN_ID?"
                )
            if client.service_is_ready():
                client.call_async(ResetEpisode.Request(seed=self._spare_seed))
            self._spin(Future(), RESET_PERIOD)
        self._node.destroy_client(client)

    def prepare(self, seed: int, number: int) -> None:
        """The reset of /run_episode lays the scene."""
        self._heard.clear()

    def truth(self, seed: int, steps: int) -> list[SimTruth]:
        """Up to the last step, which may come after the word of the episode's end."""
        return truth_until(
            self._heard, self._truth_topic, self._spin, seed, lambda last: last.step >= steps, f"step {steps}"
        )


class WorkcellWorld:
    """The fake workcell: what a person does there is done by services; its truth counts time from the new scene on."""

    patience = 0.0

    def __init__(self, node: Node, spin: Spin) -> None:
        self._node, self._spin = node, spin
        self._heard: list[SimTruth] = []
        self._truth_topic = node.resolve_topic_name(topics.SIM_TRUTH)
        node.create_subscription(SimTruth, topics.SIM_TRUTH, self._heard.append, STREAM)
        self._reset: Client[Any, Any] = node.create_client(ResetEpisode, topics.RESET_EPISODE)
        self._recover: Client[Any, Any] = node.create_client(Trigger, topics.DRIVER_RECOVER)
        self._scene: Client[Any, Any] = node.create_client(ResetEpisode, topics.NEW_SCENE)
        self._mend: Client[Any, Any] = node.create_client(Trigger, topics.UNLOCK)

    def connect(self) -> None:
        """Driver and workcell must offer their services."""
        driver, workcell = "the robot driver", "a workcell"
        for client, who in (
            (self._reset, driver),
            (self._recover, driver),
            (self._scene, workcell),
            (self._mend, workcell),
        ):
            deadline = time.monotonic() + CONNECT_TIMEOUT
            while not client.service_is_ready():
                if time.monotonic() >= deadline:
                    raise KprlError(
                        f"no node offered {client.srv_name} within {CONNECT_TIMEOUT:g} s: is {who} running, "
                        "with the same ROS_DOMAIN_ID?"
                    )
                self._spin(Future(), RESET_PERIOD)

    def prepare(self, seed: int, number: int) -> None:
        """Send the robot home with an open gripper, then lay the scene."""
        deadline = time.monotonic() + READY_TIMEOUT
        request = ResetEpisode.Request(seed=seed)
        while not (answer := self._ask(self._reset, request, RESET_TIMEOUT)).success:
            if time.monotonic() >= deadline:
                name = self._node.resolve_service_name(topics.RESET_EPISODE)
                raise KprlError(f"{name} failed before the episode of seed {seed}: {answer.message}")
            self._spin(Future(), RETRY_PERIOD)
            # The robot has not recovered from its start yet, or the policy ran it into something.
            self._ask(self._mend, Trigger.Request(), RESET_TIMEOUT)
            self._ask(self._recover, Trigger.Request(), RESET_TIMEOUT)
        while not (answer := self._ask(self._scene, request, RESET_TIMEOUT)).success:
            if time.monotonic() >= deadline:
                name = self._node.resolve_service_name(topics.NEW_SCENE)
                raise KprlError(f"{name} refused the scene of seed {seed}: {answer.message}")
            self._spin(Future(), RETRY_PERIOD)
        self._heard.clear()

    def truth(self, seed: int, steps: int) -> list[SimTruth]:
        """From the scene's laying to this moment: the world's clock is the wall clock."""
        now = self._node.get_clock().now().nanoseconds
        return truth_until(
            self._heard,
            self._truth_topic,
            self._spin,
            seed,
            lambda last: to_nanoseconds(last.header.stamp) >= now,
            "the episode's end",
        )

    def _ask(self, client: Any, request: Any, timeout: float) -> Any:
        answer = client.call_async(request)
        if not self._spin(answer, timeout):
            raise KprlError(f"no answer from {client.srv_name} in {timeout:g} s: see the log of who offers it")
        return answer.result()


class RealWorld:
    """A real robot: a person lays the scene out and permits each episode, and nobody tells the truth."""

    def __init__(self, node: Node, episodes: int, confirms: bool) -> None:
        self._node, self._episodes, self._confirms = node, episodes, confirms
        self.patience = PERSON_TIMEOUT if confirms else 0.0

    def connect(self) -> None:
        """There is nobody to ask."""

    def prepare(self, seed: int, number: int) -> None:
        """Tell the person whose turn it is."""
        if self._confirms:
            self._node.get_logger().info(prompt(number, self._episodes, self._node.resolve_service_name))

    def truth(self, seed: int, steps: int) -> list[SimTruth]:
        """Nobody knows it."""
        return []


def prompt(number: int, episodes: int, resolve: Callable[[str], str]) -> str:
    """What a person must do before an episode of a real robot; `resolve` gives a service's whole name."""
    enable = resolve(topics.POLICY_ENABLE)
    return (
        f"episode {number} of {episodes} waits for you. 1. ros2 service call {resolve(topics.RESET_EPISODE)} "
        "kprl_interfaces/srv/ResetEpisode '{}' opens the gripper and sends the arm home: IT MOVES AT ONCE. "
        "2. Lay the object out and step back. "
        f"3. ros2 service call {enable} std_srvs/srv/SetBool '{{data: true}}' begins the episode, "
        f"and with false ends it; {resolve(topics.DRIVER_STOP)} stops the arm"
    )


def truth_until(
    heard: list[SimTruth], topic: str, spin: Spin, seed: int, is_whole: Callable[[SimTruth], bool], what: str
) -> list[SimTruth]:
    """What was heard of the newest world of `seed`, once the last of it `is_whole`."""
    deadline = time.monotonic() + TRUTH_TIMEOUT
    while True:
        truth = [message for message in heard if message.seed == seed]
        truth = truth[newest_world([message.step for message in truth]) :]
        if truth and is_whole(truth[-1]):
            return truth
        if time.monotonic() >= deadline:
            raise KprlError(
                f"no message on {topic} of {what} within {TRUTH_TIMEOUT:g} s: "
                "is a sim bridge or a workcell running, and is it the only one?"
            )
        spin(Future(), TRUTH_POLL)

"""A Gymnasium goal environment over the topics of a sim bridge in lockstep and a keypoint node.

Observation, info, reward and spaces are those of `kprl/UR5Grasp-v1` with the preset `keypoints`; the same seed and
actions give the same transitions.
"""

from __future__ import annotations

import time

import numpy as np
import rclpy
from gymnasium.wrappers import TimeLimit
from rclpy.node import Node

from kprl.action import Command
from kprl.envs import EPISODE_STEPS
from kprl.envs.goal_env import GoalEnvironment, Seen
from kprl.envs.goal_observation import action_space, observation_space, truth_info
from kprl.errors import KprlError
from kprl.observation import actor_observation
from kprl.rl.goal_env import GoalEnv
from kprl_policy.lockstep_client import LockstepClient, Observed
from kprl_ros import topics

CONNECT_SEED = 0
CONNECT_TIMEOUT = 60.0  # [s] in which bridge and keypoint node must first answer
STEP_TIMEOUT = 30.0  # [s] for one reset or step: long, for one stall of the machine must not end a training


def over_topics(num_keypoints: int, node: Node | None = None, step_timeout: float = STEP_TIMEOUT) -> GoalEnv:
    """The environment with the task's time limit, as training takes it."""
    return TimeLimit(TopicEnv(node, num_keypoints, step_timeout=step_timeout), EPISODE_STEPS)


class TopicEnv(GoalEnvironment):
    """The environment; construction waits until bridge and keypoint node answer, at most `connect_timeout` [s].

    Errors: `KprlError` names the service or topic that did not answer in time.
    """

    def __init__(
        self,
        node: Node | None = None,
        num_keypoints: int | None = None,
        start: str = "ordinary",
        step_timeout: float = STEP_TIMEOUT,
        connect_timeout: float = CONNECT_TIMEOUT,
    ) -> None:
        self._owns_rclpy = node is None and not rclpy.ok()
        if self._owns_rclpy:
            rclpy.init()
        self._owned_node = Node("topic_env") if node is None else None
        self._start, self._step_timeout = start, step_timeout
        self._client = LockstepClient(node or self._owned_node)  # type: ignore[arg-type]
        try:
            found = self._client.connect(CONNECT_SEED, time.monotonic() + connect_timeout)
        except KprlError:
            self.close()
            raise
        self.num_keypoints = len(found.keypoints)
        if num_keypoints not in (None, self.num_keypoints):
            self.close()
            raise KprlError(
                f"{topics.at_root(topics.KEYPOINTS)} carries {self.num_keypoints} keypoints: expected {num_keypoints}, "
                "start the keypoint node with the same model"
            )
        self.action_space = action_space()
        self.observation_space = observation_space("keypoints", self.num_keypoints)

    @property
    def stamp(self) -> int:
        """Simulated time [ns] of the last observation."""
        return self._client.stamp

    def close(self) -> None:
        """Leave the graph; the nodes of the other processes stay."""
        self._client.close()
        if self._owned_node is not None:
            self._owned_node.destroy_node()
            self._owned_node = None
        if self._owns_rclpy:
            self._owns_rclpy = False
            rclpy.try_shutdown()

    def _begin(self, seed: int, start: str) -> Seen:
        return self._seen(self._client.reset(seed, start, time.monotonic() + self._step_timeout))

    def _advance(self, command: Command) -> Seen:
        return self._seen(self._client.step(command, time.monotonic() + self._step_timeout))

    def _seen(self, observed: Observed) -> Seen:
        self._opening = observed.opening
        info = truth_info(
            observed.tcp,
            observed.applied,
            observed.opening,
            observed.object_position,
            observed.object_velocity,
            observed.engaged,
            observed.is_success,
        )
        return {
            "observation": actor_observation(observed.keypoints, observed.tcp, observed.opening),
            "achieved_goal": observed.object_position.astype(np.float32),
            "desired_goal": observed.goal.astype(np.float32),
        }, info

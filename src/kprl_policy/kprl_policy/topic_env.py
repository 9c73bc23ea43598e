"""A Gymnasium goal environment over the topics of a sim bridge in lockstep and a keypoint node.

Observation, info, reward and spaces are those of `kprl/UR5Grasp-v1` with the preset `keypoints`; the same seed and
actions give the same transitions.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import rclpy
from rclpy.node import Node

from kprl.action import action_to_command
from kprl.control.limits import CONTROL_HZ
from kprl.envs.goal_observation import action_space, compute_reward, observation_space, truth_info
from kprl.errors import KprlError
from kprl.observation import actor_observation
from kprl_policy.lockstep_client import LockstepClient, Observed

Observation = dict[str, npt.NDArray[Any]]
CONNECT_SEED = 0


class TopicEnv(gymnasium.Env[Any, Any]):
    """The environment; construction waits until bridge and keypoint node answer, at most `connect_timeout` [s].

    Errors: `KprlError` names the service or topic that did not answer in time.
    """

    reward_function = staticmethod(compute_reward)  # for a learner in another process
    metadata = {"render_modes": [], "render_fps": int(CONTROL_HZ)}

    def __init__(
        self,
        node: Node | None = None,
        num_keypoints: int | None = None,
        start: str = "ordinary",
        step_timeout: float = 5.0,
        connect_timeout: float = 60.0,
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
        self._observed: Observed | None = None
        self.num_keypoints = len(found.keypoints)
        if num_keypoints not in (None, self.num_keypoints):
            self.close()
            raise KprlError(
                f"/keypoints carries {self.num_keypoints} keypoints: expected {num_keypoints}, "
                "start the keypoint node with the same model"
            )
        self.action_space = action_space()
        self.observation_space = observation_space("keypoints", self.num_keypoints)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin an episode through /reset_episode; options={"start": ...} overrides where it starts."""
        super().reset(seed=seed)
        world_seed = seed if seed is not None else int(self.np_random.integers(2**31))
        start = (options or {}).get("start", self._start)
        return self._seen(self._client.reset(world_seed, start, time.monotonic() + self._step_timeout))

    def step(self, action: npt.NDArray[np.float32]) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Send an action (4,) as a command pair and wait for the observation that follows it."""
        if self._observed is None:
            raise KprlError("the environment was stepped before its first reset: call reset() first")
        command = action_to_command(action, self._observed.opening)
        observation, info = self._seen(self._client.step(command, time.monotonic() + self._step_timeout))
        reward = self.compute_reward(observation["achieved_goal"], observation["desired_goal"], info)
        return observation, float(reward), False, False, info

    def compute_reward(
        self,
        achieved_goal: npt.NDArray[np.floating],
        desired_goal: npt.NDArray[np.floating],
        info: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    ) -> npt.NDArray[np.floating]:
        """See `kprl.envs.goal_observation.compute_reward`."""
        return compute_reward(achieved_goal, desired_goal, info)

    def close(self) -> None:
        """Leave the graph; the nodes of the other processes stay."""
        self._client.close()
        if self._owned_node is not None:
            self._owned_node.destroy_node()
            self._owned_node = None
        if self._owns_rclpy:
            self._owns_rclpy = False
            rclpy.try_shutdown()

    def _seen(self, observed: Observed) -> tuple[Observation, dict[str, Any]]:
        self._observed = observed
        info = truth_info(
            observed.tcp,
            observed.applied,
            observed.opening,
            observed.object_position,
            observed.object_velocity,
            observed.grasped,
            observed.is_success,
        )
        return {
            "observation": actor_observation(observed.keypoints, observed.tcp, observed.opening),
            "achieved_goal": observed.object_position.astype(np.float32),
            "desired_goal": observed.goal.astype(np.float32),
        }, info

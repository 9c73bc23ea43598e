"""The Gymnasium goal environment over one simulated world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kprl.action import Command
from kprl.control.limits import CONTROL_HZ
from kprl.envs.goal_env import GoalEnvironment, Observation, Seen
from kprl.envs.goal_observation import PRESETS, action_space, observation_space, truth_info
from kprl.envs.world import Snapshot, World
from kprl.errors import KprlError, require_choice
from kprl.keypoints.encoder import KEYPOINT_VALUES, Encoder, load_encoder
from kprl.keypoints.overlay import draw_keypoints
from kprl.observation import actor_observation, end_effector_observation

RENDER_SCALE = 5


class ManipulationEnv(GoalEnvironment):
    """UR5 with a 2F-85; observation presets `state`, `keypoints` (needs an encoder) and `image`.

    `encoder` is an Encoder or the folder of a keypoint model. Episodes never terminate; the registration's time
    limit truncates them. The object's true position is in `achieved_goal` and, for critics, in info["privileged"].
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": int(CONTROL_HZ)}

    def __init__(
        self,
        task: str = "grasp",
        scene: str = "env1",
        object: str = "cube",
        observation: str = "state",
        encoder: Encoder | str | Path | None = None,
        start: str = "ordinary",
        randomization: str = "train",
        render_mode: str | None = None,
    ) -> None:
        self._preset = require_choice("observation preset", observation, PRESETS)
        if observation == "keypoints" and encoder is None:
            raise KprlError("the observation preset 'keypoints' needs an encoder: pass encoder=<keypoint model folder>")
        self._encoder = load_encoder(Path(encoder)) if isinstance(encoder, str | Path) else encoder
        self._world = World(task, scene, object, randomization)
        self._start = start
        self._snapshot: Snapshot | None = None
        self.keypoints: npt.NDArray[np.float32] | None = None
        self.render_mode = render_mode
        self.action_space = action_space()
        self.observation_space = observation_space(observation, self._encoder.num_keypoints if self._encoder else 0)

    @property
    def world(self) -> World:
        """The world behind the observations: truth for evaluation and tests, never for a policy."""
        return self._world

    def render(self) -> npt.NDArray[np.uint8] | None:
        """The camera's last picture, enlarged, with the keypoints if there are any: (320, 320, 3) uint8."""
        if self.render_mode is None or self._snapshot is None:
            return None
        keypoints = self.keypoints
        if keypoints is None or keypoints.shape[-1] != KEYPOINT_VALUES:  # latent codes cannot be drawn
            keypoints = np.zeros((0, KEYPOINT_VALUES), np.float32)
        return draw_keypoints(self._snapshot.image, keypoints, RENDER_SCALE)

    def close(self) -> None:
        """End the physics world."""
        self._world.close()

    def _begin(self, seed: int, start: str) -> Seen:
        return self._seen(self._world.reset(seed, start))

    def _advance(self, command: Command) -> Seen:
        return self._seen(self._world.step(command))

    def _seen(self, snapshot: Snapshot) -> Seen:
        self._snapshot, self._opening = snapshot, snapshot.opening
        task = self._world.task
        info = truth_info(
            snapshot.tcp_position,
            snapshot.applied_linear,
            snapshot.opening,
            snapshot.object_position,
            snapshot.object_linear_velocity,
            snapshot.engaged,
            bool(task.is_success(snapshot.object_position, snapshot.goal)),
        )
        seen: Observation = {
            "observation": self._vector(snapshot, info),
            "achieved_goal": snapshot.object_position.astype(np.float32),
            "desired_goal": snapshot.goal.astype(np.float32),
        }
        if self._preset == "image":
            seen["image"] = snapshot.image[:, :, None]
        return seen, info

    def _vector(self, snapshot: Snapshot, info: dict[str, Any]) -> npt.NDArray[np.float32]:
        if self._preset == "state":
            return np.asarray(info["privileged"])
        if self._preset == "image":
            return end_effector_observation(snapshot.tcp_position, snapshot.opening)
        assert self._encoder is not None
        self.keypoints = self._encoder.encode(snapshot.image[None])[0]
        return actor_observation(self.keypoints, snapshot.tcp_position, snapshot.opening)

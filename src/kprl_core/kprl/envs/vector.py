"""N worlds in N processes behind Gymnasium's vector interface, with one keypoint inference for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

import kprl.envs  # noqa: F401  (registers the environments)
from kprl.envs.vector_worker import Begin, Workers
from kprl.errors import KprlError
from kprl.keypoints.encoder import Encoder, load_encoder
from kprl.observation import join_observation

ANSWER_TIMEOUT_S = 30.0
"""A worker that takes longer than this for a reset or a step is taken for hung. A step takes milliseconds."""

Observations = dict[str, npt.NDArray[Any]]  # a row per world
NextReset = Callable[[int], Begin]
"""Index of a world -> how its next episode begins."""


class ManipulationVectorEnv(VectorEnv[Observations, npt.NDArray[np.float32], npt.NDArray[Any]]):
    """N goal environments at once; whoever knows `gymnasium.make(env_id, **env_kwargs)` knows each of them.

    Observations are a Dict of arrays (N, ...), actions (N, A) float32 in [-1, 1], rewards (N,) float64. With the
    preset `keypoints` the workers deliver images and this process encodes all of them in one batch.

    A world whose episode ended begins the next one in the same step: infos has the ended episode's last
    observation and info under `final_obs` and `final_info`, as Gymnasium's own vector environments have.

    A worker that dies, raises or hangs is replaced, with a warning. Its episode is dropped: that world returns the
    first observation of a new episode with reward 0, neither terminated nor truncated, and `infos["dropped"]`
    (N,) is True there. Where the new episode begins is decided as after any other episode.
    """

    def __init__(
        self,
        env_id: str,
        num_envs: int,
        env_kwargs: Mapping[str, Any] | None = None,
        *,
        next_reset: NextReset | None = None,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        """Start the workers.

        Args:
            env_id: id of a registered environment with a Dict of boxes as observation.
            num_envs: N.
            env_kwargs: what `gymnasium.make` would get; all but an encoder must be picklable.
            next_reset: says how a world's next episode begins, wherever `reset` was given no seed for it. Without
                it: as the environment itself would go on, by the generator that its last seed started.
            answer_timeout_s: see ANSWER_TIMEOUT_S.
        """
        if num_envs < 1:
            raise KprlError(f"num_envs is {num_envs}: expected at least 1 world")
        kwargs = dict(env_kwargs or {})
        self._encoder: Encoder | None = None
        if kwargs.get("observation") == "keypoints":
            self._encoder = _encoder(kwargs.pop("encoder", None))
            kwargs["observation"] = "image"
        self.num_envs, self.next_reset = num_envs, next_reset
        self.spec = spec = gymnasium.spec(env_id)
        space = self._describe(spec, kwargs)
        self._generators = [seeding.np_random()[0] for _ in range(num_envs)]
        self._options: dict[str, Any] = {}
        self._begun = False
        self._workers = Workers(spec, kwargs, space, num_envs, answer_timeout_s)

    def _describe(self, spec: EnvSpec, kwargs: dict[str, Any]) -> spaces.Dict:
        """Take spaces and metadata from one environment made for this alone: bad arguments show here.

        Returns the observation space of the workers' environments.
        """
        env = gymnasium.make(spec, **kwargs)
        space, action = env.observation_space, env.action_space
        self.metadata = {**env.metadata, "autoreset_mode": AutoresetMode.SAME_STEP}
        self.render_mode = env.render_mode
        env.close()
        if not isinstance(space, spaces.Dict) or not isinstance(action, spaces.Box):
            raise KprlError(f"the environment's spaces are {space} and {action}: expected a Dict and a Box")
        self.single_observation_space = _with_keypoints(space, self._encoder) if self._encoder else space
        self.single_action_space = action
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(action, self.num_envs)
        return space

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers, in the order of the worlds."""
        return self._workers.pids

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observations, dict[str, Any]]:
        """Begin an episode in all worlds.

        Args:
            seed: world i gets seed + i, or seed[i]; a world whose seed is None begins as after an ended episode.
            options: reset options of all worlds, also of later episodes unless `next_reset` decides.
                `reset_mask` (N,) bool in it restricts the reset to some worlds, as Gymnasium has it.
        """
        self._require_open()
        options = dict(options or {})
        mask = np.asarray(options.pop("reset_mask", np.ones(self.num_envs, bool)))
        seeds = _seeds(seed, self.num_envs)
        if mask.shape != (self.num_envs,) or mask.dtype != bool:
            raise ValueError(f"reset_mask is {mask}: expected {self.num_envs} booleans")
        worlds = np.flatnonzero(mask).tolist()
        self._options = options
        for world in worlds:
            if seeds[world] is not None:
                self._generators[world], _ = seeding.np_random(seeds[world])

        def begin(world: int) -> Begin:
            given = seeds[world]
            return self._next(world) if given is None else (given, options)

        with self._closed_on_error():
            world_infos = self._workers.begin(worlds, begin)
            observations = self._seen(list(range(self.num_envs)))
        self._begun = self._begun or bool(mask.all())
        infos: dict[str, Any] = {}
        for world, info in world_infos.items():
            infos = self._add_info(infos, {**info, "dropped": False}, world)
        return observations, infos

    def step(
        self, actions: npt.NDArray[np.float32]
    ) -> tuple[Observations, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], dict[str, Any]]:
        """Apply actions (N, A), one control period in each world."""
        self._require_open()
        if not self._begun:
            raise ResetNeeded("the worlds were stepped before their first reset: call reset() first")
        actions = np.asarray(actions, np.float32)
        if actions.shape != self.action_space.shape or not np.isfinite(actions).all():
            raise ValueError(f"actions are {actions}: expected {self.action_space.shape} finite numbers")
        with self._closed_on_error():
            return self._step(actions)

    def _step(
        self, actions: npt.NDArray[np.float32]
    ) -> tuple[Observations, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], dict[str, Any]]:
        answers = self._workers.step(actions)
        observations = self._seen(list(range(self.num_envs)))
        rewards = np.array([answer.reward if answer else 0.0 for answer in answers])
        terminated = np.array([bool(answer and answer.terminated) for answer in answers])
        truncated = np.array([bool(answer and answer.truncated) for answer in answers])
        dropped = np.array([answer is None for answer in answers])
        world_infos = [answer.info if answer else {} for answer in answers]
        for world in np.flatnonzero(terminated | truncated).tolist():
            final = {name: rows[world].copy() for name, rows in observations.items()}
            world_infos[world] = {"final_obs": final, "final_info": world_infos[world]}
        anew = np.flatnonzero(terminated | truncated | dropped).tolist()
        if anew:
            for world, info in self._workers.begin(anew, self._next).items():
                world_infos[world] |= info
            for name, rows in self._seen(anew).items():
                observations[name][anew] = rows
        infos: dict[str, Any] = {}
        for world, info in enumerate(world_infos):
            infos = self._add_info(infos, {**info, "dropped": bool(dropped[world])}, world)
        return observations, rewards, terminated, truncated, infos

    def close_extras(self, **kwargs: Any) -> None:
        """End all workers; see `Workers.close`."""
        self._workers.close()

    def _next(self, world: int) -> Begin:
        if self.next_reset:
            return self.next_reset(world)
        # The draw is that of a single environment which is reset without a seed, see `GoalEnvironment.reset`.
        return int(self._generators[world].integers(2**31)), self._options

    def _seen(self, worlds: list[int]) -> Observations:
        """What these worlds last delivered, copied, a row each; with an encoder as the actor sees it."""
        seen: Observations = {name: rows[worlds] for name, rows in self._workers.rows.items()}
        if self._encoder:
            images = seen.pop("image")  # (len(worlds), 64, 64, 1)
            seen["observation"] = join_observation(self._encoder.encode(images[..., 0]), seen["observation"])
        return seen

    def _require_open(self) -> None:
        if self.closed:
            raise ClosedEnvironmentError("the worlds were closed, perhaps by the error before: make new ones")

    @contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        """Nothing goes on after an exception, see `Workers`."""
        try:
            yield
        except BaseException:
            self.close()
            raise


def _encoder(given: Encoder | str | Path | None) -> Encoder:
    if given is None:
        raise KprlError("the observation preset 'keypoints' needs an encoder: pass encoder=<keypoint model folder>")
    return load_encoder(Path(given)) if isinstance(given, str | Path) else given


def _with_keypoints(space: spaces.Dict, encoder: Encoder) -> spaces.Dict:
    """The space of preset `keypoints` from that of preset `image`."""
    parts = {name: part for name, part in space.spaces.items() if name != "image"}
    (end_effector,) = parts["observation"].shape or (0,)
    parts["observation"] = spaces.Box(-np.inf, np.inf, (2 * encoder.num_keypoints + end_effector,), np.float32)
    return spaces.Dict(parts)


def _seeds(seed: int | Sequence[int | None] | None, num_envs: int) -> list[int | None]:
    if seed is None:
        return [None] * num_envs
    if isinstance(seed, int | np.integer):
        return [int(seed) + world for world in range(num_envs)]
    if len(seed) != num_envs:
        raise ValueError(f"{len(seed)} seeds for {num_envs} worlds: expected one each")
    return [None if given is None else int(given) for given in seed]

"""`kprl bench env`: what one environment step costs, where it goes, and how it compares.

One process on one core, medians. A step is 12 steps of physics, and a 64 x 64 picture with grey, depth and classes.
The limit is what PyBullet's own calls take in the same steps: the physics and the bare renderer.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import gymnasium
import numpy as np
import torch

import kprl.envs  # noqa: F401  (registers the environments)
from kprl.envs.manipulation import ManipulationEnv
from kprl.envs.vector import ManipulationVectorEnv
from kprl.errors import KprlError
from kprl.keypoints.encoder import Encoder, OnnxEncoder
from kprl.keypoints.export import export_onnx
from kprl.keypoints.model import Autoencoder
from kprl.keypoints.presets import PRESETS
from kprl.sim.bullet import quiet
from kprl.sim.objects import OBJECTS

PHYSICS, RENDER = "stepSimulation", "getCameraImage"  # PyBullet's calls that make the limit
WARM_UP = 2  # episodes that are not counted
PEER = "PandaPush-v3"
NUM_KEYPOINTS = 12


@contextmanager
def one_core() -> Iterator[None]:
    """Run on one core, with one thread in each library."""
    cores, threads, cv_threads = os.sched_getaffinity(0), torch.get_num_threads(), cv2.getNumThreads()
    os.sched_setaffinity(0, {min(cores)})
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
        torch.set_num_threads(threads)
        cv2.setNumThreads(cv_threads)


class _Clocked:
    """PyBullet's client with a clock on the two calls that make the limit: seconds since `spent` was emptied."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.spent: dict[str, float] = defaultdict(float)
        self.stepSimulation = self._clocked(PHYSICS)
        self.getCameraImage = self._clocked(RENDER)

    def _clocked(self, name: str) -> Callable[..., Any]:
        call = getattr(self._client, name)

        def clocked(*arguments: Any, **keywords: Any) -> Any:
            began = time.perf_counter()
            result = call(*arguments, **keywords)
            self.spent[name] += time.perf_counter() - began
            return result

        return clocked

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def measure_steps(episodes: int, encoder: Encoder | None = None, **options: Any) -> dict[str, float]:
    """Median milliseconds of a step: `step`, `physics`, `render`, `limit` (their sum), `python`, and `inference`.

    Random actions from ordinary starts. Each episode is played twice, first as it is and timed from outside, then with
    clocks on PyBullet's calls, which would cost time themselves.
    """
    env = gymnasium.make("kprl/UR5Grasp-v1", observation="image", **options)
    manipulation = env.unwrapped
    assert isinstance(manipulation, ManipulationEnv)
    world = manipulation.world
    plain, clocked = world.bullet.client, _Clocked(world.bullet.client)
    steps, limits, inferences = [], [], []
    try:
        for episode in range(WARM_UP + episodes):
            count = episode >= WARM_UP
            for client in (plain, clocked):
                world.bullet.client = client
                for step in _play(env, episode):
                    clocked.spent.clear()
                    began = time.perf_counter()
                    observation = step()
                    world.truth()
                    ended = time.perf_counter()
                    if count and client is plain:
                        steps.append(ended - began)
                    elif count:
                        limits.append((clocked.spent[PHYSICS], clocked.spent[RENDER]))
                    if encoder is not None and client is plain:
                        encoder.encode(observation["image"][None, :, :, 0])
                        inferences.append(time.perf_counter() - ended)
    finally:
        world.bullet.client = plain
        env.close()
    physics, render = (float(value) for value in 1e3 * np.median(limits, axis=0))
    step_ms, limit = float(1e3 * np.median(steps)), float(1e3 * np.median(np.sum(limits, axis=1)))
    parts = {"step": step_ms, "physics": physics, "render": render, "limit": limit, "python": step_ms - limit}
    return parts | ({"inference": float(1e3 * np.median(inferences))} if encoder is not None else {})


def _play(env: gymnasium.Env[Any, Any], episode: int) -> Iterator[Callable[[], Any]]:
    """The steps of an episode of random actions, one after the other; calling one gives the observation."""
    rng = np.random.default_rng(episode)
    env.reset(seed=episode)
    truncated = False

    def step() -> Any:
        nonlocal truncated
        observation, _, _, truncated, _ = env.step(action)
        return observation

    while not truncated:
        action = rng.uniform(-1, 1, 4).astype(np.float32)
        yield step


def measure_peer(episodes: int) -> float:
    """Median milliseconds of a step of panda-gym's PandaPush with a picture of 64 x 64."""
    try:
        import panda_gym  # noqa: F401  (registers its environments)
    except ImportError:
        raise KprlError("the benchmark compares with panda-gym, which is not installed: run `make setup`") from None
    with quiet():
        env = gymnasium.make(PEER, render_mode="rgb_array", renderer="Tiny", render_width=64, render_height=64)
    times = []
    env.action_space.seed(0)
    try:
        for episode in range(1 + episodes):
            env.reset(seed=episode)
            ended = False
            while not ended:
                action = env.action_space.sample()
                began = time.perf_counter()
                _, _, terminated, truncated, _ = env.step(action)
                env.render()
                if episode:
                    times.append(time.perf_counter() - began)
                ended = terminated or truncated
    finally:
        env.close()
    return float(1e3 * np.median(times))


def measure_workers(workers: int, episodes: int, encoder: Encoder) -> float:
    """Steps per second of `workers` worlds together, keypoints included, on all cores there are."""
    env = ManipulationVectorEnv("kprl/UR5Grasp-v1", workers, {"observation": "keypoints", "encoder": encoder})
    rng = np.random.default_rng(0)
    try:
        env.reset(seed=0)
        times = []
        for _ in range(50 * (1 + episodes)):
            began = time.perf_counter()
            env.step(rng.uniform(-1, 1, (workers, 4)).astype(np.float32))
            times.append(time.perf_counter() - began)
    finally:
        env.close()
    return float(workers / np.mean(times[50:]))


@contextmanager
def untrained_encoder() -> Iterator[Encoder]:
    """The encoder of the preset `quick` as it is deployed; its weights do not change what it costs."""
    preset = PRESETS["quick"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "encoder.onnx"
        export_onnx(Autoencoder(preset.architecture(NUM_KEYPOINTS)).encoder, NUM_KEYPOINTS, path)
        yield OnnxEncoder(path, NUM_KEYPOINTS)


def bench_env(episodes: int, workers: tuple[int, ...]) -> dict[str, Any]:
    """All measurements, in one run; see `kprl bench env`."""
    with untrained_encoder() as encoder:
        with one_core():
            own = measure_steps(episodes, encoder)
            peer = measure_peer(max(1, episodes // 4))
            objects = {
                f"{scene} {name}": measure_steps(max(1, episodes // 4), scene=scene, object=name)["step"]
                for scene in ("env1", "env2")
                for name in OBJECTS
            }
        scaling = {str(count): measure_workers(count, max(1, episodes // 4), encoder) for count in workers}
    return {
        "steps_per_s": 1e3 / own["step"],
        "ratio_vs_panda_gym": peer / own["step"],
        "ratio_vs_limit": own["step"] / own["limit"],
        "breakdown_ms": {name: own[name] for name in ("physics", "render", "python", "inference")},
        "step_ms": own["step"],
        "limit_ms": own["limit"],
        "panda_gym_ms": peer,
        "step_ms_by_scene_and_object": objects,
        "steps_per_s_by_workers": scaling,
        "cores": len(os.sched_getaffinity(0)),
    }

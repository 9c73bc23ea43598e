"""One policy training from an environment to a deliverable: curves, bundle, film and summary in a run folder.

    <out>/run.json       what is trained: task, scene, object, keypoints; the code and machine of each of its parts
    <out>/policy/        metrics.csv, tensorboard/, curve.png, config.json, checkpoints/, training.safetensors
    <out>/bundle/        what a robot needs
    <out>/episode.gif    held-out episodes with the keypoints drawn
    <out>/keypoints.png  keypoints on held-out images
    <out>/summary.json   success before and after, minutes
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium

from kprl.bundle import keypoints_of, load_bundle, save_bundle
from kprl.envs import ENVIRONMENTS
from kprl.envs.goal_observation import compute_reward
from kprl.envs.vector import ManipulationVectorEnv, NextReset
from kprl.errors import KprlError, require_choice
from kprl.files import read_json, sha256_of, write_json
from kprl.film import write_gif
from kprl.keypoints.encoder import Encoder, load_encoder
from kprl.keypoints.folder import ONNX_FILE
from kprl.provenance import provenance
from kprl.rl.checkpoint import DESCRIPTION
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.evaluation import EvaluationResult, evaluate
from kprl.rl.goal_env import GoalEnv
from kprl.rl.loop import Callback, TrainingResult, train
from kprl.rl.policy_export import export_onnx
from kprl.rl.resume import STATE
from kprl.tasks import check_names
from kprl.tasks.outcome import count_failures

FINAL_SEED = 2**20  # the final evaluation's starts: not those that chose the best policy
FILMED_EPISODES = 2
WORLDS_A_THREAD = 2
"""Worlds whose images one thread encodes, cores permitting."""
RUN_FILE = "run.json"


@dataclass(frozen=True)
class PolicyRun:
    """What is trained, with which keypoints, and where the result goes."""

    keypoints: Path
    out: Path
    task: str = "grasp"
    scene: str = "env1"
    object: str = "cube"
    final_episodes: int = 50
    started: float | None = None  # [s] Unix time at which the whole run began, data and keypoints included

    def __post_init__(self) -> None:
        check_names(self.task, self.scene, self.object)
        if self.final_episodes < 1:
            raise KprlError(f"final_episodes is {self.final_episodes}: expected at least 1")


def make_env(
    task: str, scene: str, object: str, encoder: Encoder, render_mode: str | None = None, randomization: str = "train"
) -> GoalEnv:
    """The in-process environment of a task with keypoints as observation."""
    name = ENVIRONMENTS[require_choice("task", task, list(ENVIRONMENTS))]
    return gymnasium.make(
        name, scene=scene, object=object, observation="keypoints", encoder=encoder, render_mode=render_mode,
        randomization=randomization,
    )  # fmt: skip


def make_worlds(run: PolicyRun, workers: int, next_reset: NextReset) -> ManipulationVectorEnv:
    """The same environment in `workers` processes; `next_reset` decides how each episode begins.

    While their images are encoded, the workers wait: a share of their cores helps.
    """
    threads = max(1, min(workers, len(os.sched_getaffinity(0))) // WORLDS_A_THREAD)
    encoder = load_encoder(run.keypoints, threads)
    kwargs = {"scene": run.scene, "object": run.object, "observation": "keypoints", "encoder": encoder}
    return ManipulationVectorEnv(ENVIRONMENTS[run.task], workers, kwargs, next_reset=next_reset)


def train_and_deliver(
    run: PolicyRun,
    config: TrainPolicyConfig,
    env_factory: Callable[[], GoalEnv] | None = None,
    callback: Callback | None = None,
    progress: bool = True,
    resume: bool = False,
) -> dict[str, Any]:
    """Train, evaluate the best policy on fresh starts, write the run folder, and return the summary.

    `env_factory` defaults to the in-process environment; the ROS 2 trainer passes the one over topics, which
    cannot be had `config.workers` times. With `resume` a run that was interrupted goes on, one that was finished
    is prolonged to `config.steps`, and without any it begins.
    """
    began = time.time()
    run = replace(run, keypoints=keypoints_of(run.keypoints))
    encoder = load_encoder(run.keypoints)
    resume = _may_resume(run) if resume else _must_be_new(run)
    parts = _begin_part(run, config.steps, resume)
    factory = env_factory or (lambda: make_env(run.task, run.scene, run.object, encoder))
    worlds_factory = None if env_factory else partial(make_worlds, run)
    result = train(factory, config, run.out / "policy", compute_reward=compute_reward, worlds_factory=worlds_factory,
                   callback=callback, show_progress=progress, resume=resume)  # fmt: skip
    export_onnx(result.policy, run.out / "policy" / "policy.onnx")
    made = {
        "algorithm": f"{config.algo.upper()} + HER",
        "steps": result.steps,
        "updates": result.updates,
        "minutes": round(result.minutes, 2),
        "seed": config.seed,
        "config": asdict(config),
        "parts": parts,
    }
    save_bundle(
        run.out / "bundle",
        run.keypoints,
        run.out / "policy" / "policy.onnx",
        run.out / "policy" / "checkpoints" / "best",
        run.task,
        run.scene,
        run.object,
        encoder.num_keypoints,
        made,
    )
    if (run.keypoints / "keypoints.png").is_file():
        shutil.copyfile(run.keypoints / "keypoints.png", run.out / "keypoints.png")
    return _summarise(run, config, result, run.started or began)


def _identity(run: PolicyRun) -> dict[str, Any]:
    """What the parts of one run must agree in, apart from the training's settings."""
    names = ("task", "scene", "object")
    return {name: getattr(run, name) for name in names} | {"keypoints_sha256": sha256_of(run.keypoints / ONNX_FILE)}


def _must_be_new(run: PolicyRun) -> bool:
    """Begin a run folder; False: there is nothing to resume."""
    for name in ("policy", "bundle", "summary.json"):
        if (run.out / name).exists():
            raise KprlError(
                f"{run.out / name} exists, of an earlier run or anything else: choose another run folder, or go on"
                " in it with resume"
            )
    write_json(run.out / RUN_FILE, _identity(run))
    return False


def _may_resume(run: PolicyRun) -> bool:
    """Whether the run in the folder got so far that it can go on; otherwise what it left is removed, to begin anew."""
    if not (run.out / RUN_FILE).exists():
        return _must_be_new(run)
    found, expected = read_json(run.out / RUN_FILE), _identity(run)
    for name, value in expected.items():
        if found.get(name) != value:
            raise KprlError(
                f"{run.out} was begun with {name} {found.get(name)}, not {value}: resume it with the same, or choose"
                " another run folder"
            )
    policy = run.out / "policy"
    if (policy / STATE).is_file():
        return True
    if policy.exists():
        shutil.rmtree(policy)
    return False


def _begin_part(run: PolicyRun, steps: int, resume: bool) -> list[dict[str, Any]]:
    """Note in run.json from which step on this code and this machine train; all parts of the run so far."""
    begun = read_json(run.out / RUN_FILE)
    last = run.out / "policy" / "checkpoints" / "last" / DESCRIPTION
    from_step = read_json(last)["steps"] if resume and last.is_file() else 0
    parts = begun.get("parts", [])
    if from_step < steps:  # else it only lacks its deliverables
        parts = [*parts, {"from_step": from_step, **provenance("torch")}]
    parts = list({part["from_step"]: part for part in parts}.values())  # what left no checkpoint is no part of the run
    write_json(run.out / RUN_FILE, begun | {"parts": parts})
    return parts


def _summarise(run: PolicyRun, config: TrainPolicyConfig, result: TrainingResult, started: float) -> dict[str, Any]:
    """Evaluate what a robot would run, the bundle, on starts that no choice was made on; film and write it down.

    The untrained policy runs the same episodes, so that before and after are comparable.
    """
    seed = FINAL_SEED + config.seed
    env = make_env(run.task, run.scene, run.object, load_encoder(run.keypoints))
    try:
        before = evaluate(result.untrained, env, run.final_episodes, seed)
    finally:
        env.close()
    after = evaluate_bundle(run.out / "bundle", run.final_episodes, seed, film=FILMED_EPISODES)
    write_gif(run.out / "episode.gif", after.frames)
    summary = {
        "task": run.task,
        "scene": run.scene,
        "object": run.object,
        "success_before": before.success_rate,
        "success_after": after.success_rate,
        "improvement": after.success_rate - before.success_rate,
        "ci95_before": list(before.ci95),
        "ci95": list(after.ci95),
        "episodes": after.episodes,
        "failures": count_failures(outcome.outcome for outcome in after.outcomes),
        "mean_return_before": before.mean_return,
        "mean_return_after": after.mean_return,
        "minutes": round((time.time() - started) / 60 + result.resumed_minutes, 2),
        "env_steps": result.steps,
        "updates": result.updates,
        "seed": config.seed,
    }
    write_json(run.out / "summary.json", summary)
    return summary


def evaluate_bundle(
    folder: Path,
    episodes: int,
    seed: int,
    task: str | None = None,
    scene: str | None = None,
    object: str | None = None,
    film: int = 0,
    randomization: str = "train",
) -> EvaluationResult:
    """Run a bundle greedily in process, in its own task, scene and object unless others are named."""
    bundle = load_bundle(folder, task)
    info = bundle.info
    world = (info["task"], scene or info["scene"], object or info["object"])
    env = make_env(*world, bundle.encoder, "rgb_array", randomization)
    try:
        return evaluate(BundleActor(bundle.policy), env, episodes, seed, min(film, episodes))
    finally:
        env.close()


class BundleActor:
    """A bundle's policy as `kprl.rl.evaluation.evaluate` calls it."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy

    def act(self, observation: Any) -> Any:
        """Action (4,) for a goal environment's observation."""
        return self._policy.act(observation["observation"], observation["desired_goal"])

"""Training on somebody else's Gymnasium environment: curves, policy, film and summary in a run folder.

    <out>/policy/        metrics.csv, tensorboard/, curve.png, config.json, checkpoints/, training.safetensors
    <out>/policy.onnx    the greedy policy: [observation, desired_goal] to an action in [-1, 1]
    <out>/episode.gif    held-out episodes, where the environment can be drawn
    <out>/summary.json   success and return before and after, minutes
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kprl.envs.adapter import AdaptedReward, make_adapted
from kprl.errors import KprlError
from kprl.files import write_json
from kprl.film import write_gif
from kprl.policy_run import FILMED_EPISODES, FINAL_SEED
from kprl.rl.config import TrainPolicyConfig, preset
from kprl.rl.evaluation import EvaluationResult, evaluate
from kprl.rl.loop import Callback, train
from kprl.rl.policy import Policy
from kprl.rl.policy_export import export_onnx
from kprl.rl.resume import STATE

FILM_PERIOD = 0.04  # [s] from frame to frame where the environment names no rate


def default_preset(env_id: str) -> TrainPolicyConfig:
    """`goal` for goal environments; `plain` for ordinary ones, without hindsight."""
    env = make_adapted(env_id)
    env.close()
    return preset("goal" if env.has_goals else "plain")


def train_on(
    env_id: str,
    out: Path,
    config: TrainPolicyConfig,
    final_episodes: int = 50,
    resume: bool = False,
    callback: Callback | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Train on the environment `env_id`, evaluate the best policy on fresh starts, and return the summary."""
    began = time.time()
    if not resume and (out / "policy").exists():
        raise KprlError(f"{out / 'policy'} exists: choose another run folder, or go on in it with resume")
    result = train(
        partial(make_adapted, env_id),
        config,
        out / "policy",
        compute_reward=AdaptedReward(env_id),
        callback=callback,
        show_progress=progress,
        resume=resume and (out / "policy" / STATE).is_file(),
    )
    export_onnx(result.policy, out / "policy.onnx")
    seed = FINAL_SEED + config.seed
    before, after = (_evaluate(env_id, policy, final_episodes, seed) for policy in (result.untrained, result.policy))
    _film(env_id, result.policy, seed, out / "episode.gif")
    summary = {
        "env_id": env_id,
        "success_before": before.success_rate,
        "success_after": after.success_rate,
        "ci95": list(after.ci95),
        "episodes": after.episodes,
        "mean_return_before": before.mean_return,
        "mean_return_after": after.mean_return,
        "minutes": round((time.time() - began) / 60 + result.resumed_minutes, 2),
        "env_steps": result.steps,
        "updates": result.updates,
        "seed": config.seed,
    }
    write_json(out / "summary.json", summary)
    return summary


def _evaluate(env_id: str, policy: Policy, episodes: int, seed: int) -> EvaluationResult:
    env = make_adapted(env_id)
    try:
        return evaluate(policy, env, episodes, seed)
    finally:
        env.close()


def _film(env_id: str, policy: Policy, seed: int, path: Path) -> None:
    try:
        env = make_adapted(env_id, render_mode="rgb_array")
        fps = env.metadata.get("render_fps")
        frames = evaluate(policy, env, FILMED_EPISODES, seed, FILMED_EPISODES).frames
        env.close()
    except Exception as error:  # whatever a foreign renderer lacks: a display, pygame, OpenGL
        print(f"no film: {env_id} cannot be drawn here ({type(error).__name__}: {error})")
        return
    pictures = [[np.asarray(frame, np.uint8)[..., :3] for frame in episode] for episode in frames]
    write_gif(path, pictures, 1 / fps if fps else FILM_PERIOD)

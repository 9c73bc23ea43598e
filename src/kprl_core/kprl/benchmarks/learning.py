"""`kprl bench learning`: success over steps on somebody else's environment, side by side with stable-baselines3.

    <out>/kprl-<seed>/   run folder of our training, see kprl.gym_run
    <out>/curves.csv     every evaluation of everybody
    <out>/curves.png     success over steps, mean and spread over the seeds
    <out>/learning.json  the result, written anew after each training
"""

from __future__ import annotations

import csv
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from kprl.envs.adapter import make_adapted
from kprl.errors import KprlError
from kprl.files import atomic_file, read_json, write_json
from kprl.gym_run import default_preset, train_on
from kprl.provenance import provenance
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.evaluation import EvaluationResult, evaluate
from kprl.rl.metrics_log import read_evaluations
from kprl.rl.plots import plot_seeds

RESULT_FILE = "learning.json"
EVALUATION_SEED = 3_000_000  # decides the starts of the peer's evaluations; ours have their own
FINAL_EPISODES = 50  # of our run folder's own summary, which is no part of the comparison


@dataclass(frozen=True)
class LearningConfig:
    """Which environment, how long, how often."""

    env_id: str
    out: Path
    steps: int = 20_000
    seeds: tuple[int, ...] = (0, 1, 2)
    evaluate_every: int = 2_000
    evaluation_episodes: int = 50
    peers: tuple[str, ...] = ("sb3",)

    def __post_init__(self) -> None:
        for name in ("steps", "evaluate_every", "evaluation_episodes"):
            if getattr(self, name) < 1:
                raise KprlError(f"{name} is {getattr(self, name)}: expected at least 1")
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise KprlError(f"seeds are {list(self.seeds)}: expected at least one, all different")


Curve = list[dict[str, float]]
"""One row an evaluation: step, success, return, minutes."""


def bench_learning(config: LearningConfig) -> dict[str, Any]:
    """Train everybody with the same networks, batch, discount and budget; keys as in learning.json.

    A run that was interrupted goes on after the trainings that are done, with the same command; another command is
    refused there. Both methods have their learning rate, temperature and replay from `kprl.rl.config`'s preset for
    the environment; what differs is the software and, with `normalise`, that our observations are scaled. Our minutes
    contain the evaluations on the way, the peer's do not.
    """
    settings = replace(
        default_preset(config.env_id),
        steps=config.steps,
        evaluate_every=config.evaluate_every,
        evaluation_episodes=config.evaluation_episodes,
    )
    about = _identity(config, settings)
    path = config.out / RESULT_FILE
    curves: dict[str, dict[str, Curve]] = {}
    if path.exists():
        found = read_json(path)
        differing = [name for name, value in about.items() if found.get(name) != value]
        if differing:
            raise KprlError(f"{path} is of another command ({', '.join(differing)} differ): choose another folder")
        curves = found["curves"]
    trainings: dict[str, Callable[[int], Curve]] = {"kprl": lambda seed: _ours(config, replace(settings, seed=seed))}
    if "sb3" in config.peers:
        trainings["sb3"] = lambda seed: _sb3(config, replace(settings, seed=seed))
    result: dict[str, Any] = {}
    for seed in config.seeds:
        for name, training in trainings.items():
            by_seed = curves.setdefault(name, {})
            if str(seed) not in by_seed:
                by_seed[str(seed)] = training(seed)
            result = about | _figures(curves) | {"curves": curves} | provenance("torch")
            write_json(path, result)
    _write_csv(config.out / "curves.csv", curves)
    drawn = {
        name: [[(row["step"], row["success"]) for row in curve] for curve in by_seed.values()]
        for name, by_seed in curves.items()
    }
    plot_seeds(drawn, config.out / "curves.png", config.env_id)
    return result


def _identity(config: LearningConfig, settings: TrainPolicyConfig) -> dict[str, Any]:
    names = ("env_id", "steps", "evaluate_every", "evaluation_episodes")
    shared = ("batch_size", "learning_rate", "actor_hidden", "critic_hidden", "gamma", "polyak", "relabels",
              "buffer_size", "random_steps", "updates_per_step", "normalise")  # fmt: skip
    values = {name: getattr(config, name) for name in names}
    return values | {"settings": {name: _plain(asdict(settings)[name]) for name in shared}}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _ours(config: LearningConfig, settings: TrainPolicyConfig) -> Curve:
    run = config.out / f"kprl-{settings.seed}"
    train_on(config.env_id, run, settings, FINAL_EPISODES, resume=True)
    return [
        {"step": row["step"], "success": row["eval_success"], "return": row["eval_return"], "minutes": row["minutes"]}
        for row in read_evaluations(run / "policy" / "metrics.csv")
    ]


def _sb3(config: LearningConfig, settings: TrainPolicyConfig) -> Curve:
    """SAC of stable-baselines3, with its hindsight replay where there are goals."""
    try:
        from stable_baselines3 import SAC, HerReplayBuffer
    except ImportError as error:
        raise KprlError(f"sb3 cannot be measured ({error}): pip install stable-baselines3, or leave it out") from None
    judge = make_adapted(config.env_id)
    env = gymnasium.make(config.env_id)
    hindsight: dict[str, Any] = {}
    if judge.has_goals:
        hindsight = {
            "replay_buffer_class": HerReplayBuffer,
            "replay_buffer_kwargs": {
                "n_sampled_goal": settings.relabels, "goal_selection_strategy": "future", "copy_info_dict": True,
            },
        }  # fmt: skip
    networks = {"pi": list(settings.actor_hidden), "qf": list(settings.critic_hidden)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = SAC(
            "MultiInputPolicy" if judge.has_goals else "MlpPolicy", env, device="cpu",
            batch_size=settings.batch_size, learning_rate=settings.learning_rate, gamma=settings.gamma,
            tau=settings.polyak, buffer_size=settings.buffer_size, learning_starts=settings.random_steps,
            gradient_steps=round(settings.updates_per_step), seed=settings.seed,
            policy_kwargs={"net_arch": networks}, **hindsight,
        )  # fmt: skip
    actor, curve, spent = _Peer(model, judge.has_goals), [], 0.0
    for step in range(0, config.steps + 1, config.evaluate_every):
        if step:
            began = time.monotonic()
            model.learn(config.evaluate_every, reset_num_timesteps=False)
            spent += time.monotonic() - began
        found = evaluate(actor, judge, config.evaluation_episodes, EVALUATION_SEED)
        curve.append(_row(step, found, spent / 60))
    env.close()
    judge.close()
    return curve


class _Peer:
    """A model of stable-baselines3 as `evaluate` calls it: actions in [-1, 1]."""

    def __init__(self, model: Any, has_goals: bool) -> None:
        self._model, self._has_goals = model, has_goals
        space = model.action_space
        self._centre, self._half = (space.high + space.low) / 2, (space.high - space.low) / 2

    def act(self, observation: Mapping[str, np.ndarray]) -> np.ndarray:
        seen = dict(observation) if self._has_goals else observation["observation"]
        action, _ = self._model.predict(seen, deterministic=True)
        return np.asarray((action - self._centre) / self._half, np.float32)


def _row(step: float, found: EvaluationResult, minutes: float) -> dict[str, float]:
    return {"step": step, "success": found.success_rate, "return": found.mean_return, "minutes": minutes}


def _figures(curves: Mapping[str, Mapping[str, Curve]]) -> dict[str, Any]:
    """Of each method: the step of the first evaluation with all episodes solved, by seed, and how it ended."""
    solved = {
        name: {seed: _solved_at(curve) for seed, curve in each.items()} for name, each in curves.items()
    }
    last = {name: [curve[-1] for curve in each.values()] for name, each in curves.items()}
    return {
        "all_solved_at": solved,
        "final_success": {name: _mean([row["success"] for row in rows]) for name, rows in last.items()},
        "final_return": {name: _mean([row["return"] for row in rows]) for name, rows in last.items()},
        "minutes": {name: _mean([row["minutes"] for row in rows]) for name, rows in last.items()},
    }


def _solved_at(curve: Curve) -> float | None:
    return next((row["step"] for row in curve if row["success"] == 1.0), None)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _write_csv(path: Path, curves: Mapping[str, Mapping[str, Curve]]) -> None:
    with atomic_file(path) as beside, beside.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["method", "seed", "step", "success", "return", "minutes"])
        for name, by_seed in curves.items():
            for seed, curve in by_seed.items():
                writer.writerows([name, seed, *row.values()] for row in curve)

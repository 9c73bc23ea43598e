"""The one training loop: acts, explores, feeds the learner, evaluates, and keeps the books."""

from __future__ import annotations

import copy
import math
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from tqdm import tqdm

from kprl.errors import KprlError
from kprl.files import write_json
from kprl.rl.acting import Finished, Worlds, WorldsFactory, episode_start, start_options
from kprl.rl.checkpoint import POLICY, save_checkpoint
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.episode import EpisodeRecorder
from kprl.rl.evaluation import EvaluationResult, evaluate
from kprl.rl.her import Reward
from kprl.rl.learner import InlineLearner, Learner
from kprl.rl.metrics_log import MetricsLog
from kprl.rl.plots import plot_curve
from kprl.rl.policy import Policy, load_policy
from kprl.rl.process_learner import ProcessLearner
from kprl.rl.sac import Sizes

GoalEnv = gymnasium.Env[dict[str, np.ndarray], np.ndarray]
ACTING_STREAM = 2
"""Second word of the acting generator's seed: 0 would be the stream of the evaluation's starts, 1 is the replay's."""
TRAIN_WINDOW = 30
"""Training episodes that train_success and train_return are averaged over."""


@dataclass(frozen=True)
class Progress:
    """What the callback sees after every training episode."""

    fraction: float  # 0 to 1, of the steps or of the minutes, whichever ends first
    row: dict[str, float]  # columns of metrics_log.COLUMNS known now
    evaluation: EvaluationResult | None  # the latest
    evaluated: bool  # whether `evaluation` is new since the last call
    policy: Policy  # as it acts now: read, do not change


Callback = Callable[[Progress], bool]
"""Returns True to end the training after this episode."""


@dataclass(frozen=True)
class TrainingResult:
    """What a training run leaves."""

    policy: Policy  # the best by greedy success, then by return
    best: EvaluationResult
    untrained: Policy  # as it acted before the first update
    before: EvaluationResult  # of the untrained policy
    steps: int
    updates: int
    minutes: float


def train(
    env_factory: Callable[[], GoalEnv],
    config: TrainPolicyConfig,
    out: Path,
    *,
    compute_reward: Reward | None = None,
    evaluation_env_factory: Callable[[], GoalEnv] | None = None,
    worlds_factory: WorldsFactory | None = None,
    callback: Callback | None = None,
    show_progress: bool = True,
) -> TrainingResult:
    """Train a policy on a Gymnasium goal environment.

    Writes to `out`: metrics.csv, tensorboard/, curve.png, config.json, checkpoints/last and checkpoints/best.

    Args:
        env_factory: makes an environment whose observations have `observation`, `achieved_goal` and
            `desired_goal` (vectors), whose actions lie in [-1, 1], and whose info holds `is_success` and,
            where it has them, `privileged` and `regulation`. Its `reset` takes options
            {"start": "ordinary" | "curriculum"}.
        compute_reward: the environment's reward as a picklable function. Without it: its unwrapped
            `compute_reward` for the inline learner, its `reward_function` attribute for the process learner.
        evaluation_env_factory: a second environment for evaluations. Without it the first serves for both.
        worlds_factory: makes the `config.workers` worlds to train in, if more than one; `env_factory`'s then
            serves for evaluations.
        callback: called after every training episode and every evaluation.

    Raises:
        KprlError: bad settings, an environment that does not fit, a divergence, a learner that died. What the
            last evaluation left in `out` stays.
    """
    if config.workers > 1 and worlds_factory is None:
        raise KprlError(f"workers is {config.workers}, but this environment exists only once: set workers to 1")
    threads, began = torch.get_num_threads(), time.monotonic()
    torch.set_num_threads(1)  # 64x64 networks: a second thread costs more than it brings
    torch.set_flush_denormal(True)
    with ExitStack() as stack:
        stack.callback(torch.set_num_threads, threads)
        stack.callback(torch.set_flush_denormal, False)
        env = env_factory()
        stack.callback(env.close)
        evaluation_env = env
        if evaluation_env_factory is not None:
            evaluation_env = evaluation_env_factory()
            stack.callback(evaluation_env.close)
        sizes = _sizes(env, config.seed)
        learner = _learner(config, sizes, env, compute_reward)
        stack.callback(learner.close)
        rng = np.random.default_rng((config.seed, ACTING_STREAM))
        worlds = None
        if config.workers > 1 and worlds_factory:
            worlds = Worlds(worlds_factory, config, rng)
            stack.callback(worlds.close)
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "config.json", asdict(config))
        log = stack.enter_context(MetricsLog(out))
        bar = stack.enter_context(_bar(show_progress))
        run = _Run(env, evaluation_env, worlds, rng, config, out, sizes, learner, log, bar, callback, began)
        return run.run()


def _sizes(env: GoalEnv, seed: int) -> Sizes:
    """Vector widths of the environment; one that is no goal environment is a `KprlError`."""
    space, action = env.observation_space, env.action_space
    names = ("observation", "achieved_goal", "desired_goal")
    if not isinstance(space, gymnasium.spaces.Dict) or not set(names) <= set(space.spaces):
        raise KprlError(f"the environment's observation is {space}: expected a Dict with {', '.join(names)}")
    for name in names:
        if len(space[name].shape or ()) != 1:
            raise KprlError(f"the environment's '{name}' is {space[name]}: expected a vector")
    box = isinstance(action, gymnasium.spaces.Box) and len(action.shape) == 1
    if not box or not (np.all(action.low == -1) and np.all(action.high == 1)):
        raise KprlError(f"the environment's action space is {action}: expected a vector Box from -1 to 1")
    observation, info = env.reset(seed=seed)
    return Sizes(
        observation=len(observation["observation"]),
        goal=len(observation["desired_goal"]),
        action=action.shape[0],
        privileged=np.size(info.get("privileged", ())),
    )


def _learner(config: TrainPolicyConfig, sizes: Sizes, env: GoalEnv, compute_reward: Reward | None) -> Learner:
    if config.learner == "inline":
        reward = compute_reward or getattr(env.unwrapped, "compute_reward", None)
        if reward is None:
            raise KprlError("the environment has no compute_reward: hindsight replay needs it")
        return InlineLearner(config, sizes, reward)
    reward = compute_reward or getattr(env.unwrapped, "reward_function", None)
    if reward is None:
        raise KprlError(
            "learner 'process' needs the reward as a picklable function: pass compute_reward, give the"
            " environment a reward_function attribute, or choose learner 'inline'"
        )
    return ProcessLearner(config, sizes, reward)


def _bar(show: bool) -> tqdm[Any]:
    return tqdm(
        total=100.0,
        desc="policy",
        bar_format="{desc} {percentage:3.0f}%|{bar:20}| {elapsed}<{remaining}{postfix}",
        mininterval=0.5 if sys.stderr.isatty() else 10.0,  # a log file gets a line now and then
        disable=not show,
    )


class _Run:
    """The state of one call of `train`."""

    def __init__(
        self,
        env: GoalEnv,
        evaluation_env: GoalEnv,
        worlds: Worlds | None,
        rng: np.random.Generator,
        config: TrainPolicyConfig,
        out: Path,
        sizes: Sizes,
        learner: Learner,
        log: MetricsLog,
        bar: tqdm[Any],
        callback: Callback | None,
        began: float,
    ) -> None:
        self.env, self.evaluation_env, self.worlds, self.rng = env, evaluation_env, worlds, rng
        self.config, self.out, self.sizes = config, out, sizes
        self.learner, self.log, self.bar, self.callback, self.began = learner, log, bar, callback, began
        inputs = sizes.observation + sizes.goal
        self.policy = Policy.new(inputs, sizes.action, config.actor_hidden, config.normalise)
        self.steps = self.episodes = self.dropped = 0
        self.credit = 0.0  # updates earned by steps and not yet asked for
        self.successes: deque[float] = deque(maxlen=TRAIN_WINDOW)
        self.returns: deque[float] = deque(maxlen=TRAIN_WINDOW)
        self.logged = (0, 0, began)  # steps, updates, time of the row before
        self.evaluations: list[EvaluationResult] = []
        self.best: EvaluationResult | None = None

    def run(self) -> TrainingResult:
        """Train until steps, minutes or the callback end it; the last thing is always an evaluation."""
        config = self.config
        self._refresh()
        untrained = copy.deepcopy(self.policy)
        stop = self._evaluate()
        next_evaluation, next_row = config.evaluate_every, config.log_every
        while not stop and self._fraction() < 1:
            if self.worlds:
                self._episodes(self.worlds)
            else:
                self._episode()
            if self.steps >= next_evaluation and self._fraction() < 1:
                stop = self._evaluate()
                next_evaluation = self.steps + config.evaluate_every
                next_row = self.steps + config.log_every
            else:
                if self.steps >= next_row:
                    self._row({})
                    next_row = self.steps + config.log_every
                stop = self._report(evaluated=False)
        if self.steps:
            self._evaluate()
        assert self.best is not None
        return TrainingResult(
            policy=load_policy(self.out / "checkpoints" / "best" / POLICY),
            best=self.best,
            untrained=untrained,
            before=self.evaluations[0],
            steps=self.steps,
            updates=self.learner.updates,
            minutes=self._minutes(),
        )

    def _episode(self) -> None:
        """Act one episode with exploration, learning at the same time."""
        config, rng = self.config, self.rng
        seed, curriculum = episode_start(config, rng)
        observation, info = self.env.reset(seed=seed, options=start_options(curriculum))
        recorder = EpisodeRecorder(observation, info)
        total, ended = 0.0, False
        while not ended:
            if self.steps < config.random_steps or rng.random() < config.random_exploration:
                action = rng.uniform(-1, 1, self.sizes.action).astype(np.float32)
            else:
                action = self.policy.act(observation, deterministic=False, rng=rng)
            observation, reward, terminated, truncated, info = self.env.step(action)
            recorder.step(action, observation, terminated, info)
            total += float(reward)
            self._count(1)
            ended = terminated or truncated
        self._finish(Finished(recorder.episode(), total, bool(info["is_success"]), curriculum))

    def _episodes(self, worlds: Worlds) -> None:
        """Act in all worlds until an episode ends in one, learning at the same time."""
        ended = False
        while not ended:
            stepped = worlds.step(self.policy, random=self.steps < self.config.random_steps)
            self.dropped += stepped.dropped
            self._count(stepped.steps)
            for finished in stepped.finished:
                self._finish(finished)
            ended = bool(stepped.finished)

    def _finish(self, finished: Finished) -> None:
        self.learner.add(finished.episode)
        self.episodes += 1
        if not finished.curriculum:
            self.successes.append(float(finished.success))
            self.returns.append(finished.total)

    def _count(self, steps: int) -> None:
        """Count steps, and learn for those after the random ones once there is an episode to learn from."""
        self.steps += steps
        steps = min(steps, self.steps - self.config.random_steps)
        if steps <= 0 or not self.episodes:
            return
        self.credit += self.config.updates_per_step * steps
        whole = int(self.credit)
        if whole:
            self.credit -= whole
            self.learner.update(whole)
            self._refresh()

    def _refresh(self) -> None:
        weights = self.learner.weights()
        if weights is None:
            return
        if not np.isfinite(weights).all():
            self.learner.metrics()  # says which loss it was, if it is known already
            raise KprlError(
                f"training diverged after {self.learner.updates} updates: the policy's weights are not finite:"
                " lower learning_rate, or check the environment's rewards; the last checkpoint is kept"
            )
        self.policy.load_weights(weights)

    def _evaluate(self) -> bool:
        """Evaluate, write a row, the curve and the checkpoints; True if the callback wants to stop."""
        self.learner.metrics()  # raises on a divergence, before a checkpoint is overwritten
        self.bar.set_description_str("evaluate")
        result = evaluate(self.policy, self.evaluation_env, self.config.evaluation_episodes, self.config.seed)
        self.bar.set_description_str("policy")
        self.evaluations.append(result)
        self._row({"eval_success": result.success_rate, "eval_return": result.mean_return})
        self._save(result)
        plot_curve(self.log.rows, self.out / "curve.png", "/".join(self.out.resolve().parts[-2:]))
        return self._report(evaluated=True)

    def _save(self, result: EvaluationResult) -> None:
        description = {
            "format": 1,
            "steps": self.steps,
            "episodes": self.episodes,
            "minutes": round(self._minutes(), 3),
            "success_rate": result.success_rate,
            "ci95": list(result.ci95),
            "mean_return": result.mean_return,
            "sizes": self.sizes._asdict(),
            "config": asdict(self.config),
        }
        state = self.learner.state_dict(replay=False)
        save_checkpoint(self.out / "checkpoints" / "last", self.policy, state, description)
        if self.best is None or _rank(result) > _rank(self.best):
            self.best = result
            save_checkpoint(self.out / "checkpoints" / "best", self.policy, state, description)

    def _row(self, extra: dict[str, float]) -> None:
        steps, updates, when = self.logged
        self.logged = (self.steps, self.learner.updates, time.monotonic())
        seconds = max(self.logged[2] - when, 1e-6)
        speed = {
            "steps_per_s": (self.logged[0] - steps) / seconds,
            "updates_per_s": (self.logged[1] - updates) / seconds,
        }
        self.log.row(self._state() | speed | extra)

    def _state(self) -> dict[str, float]:
        return {
            "step": self.steps,
            "episode": self.episodes,
            "updates": self.learner.updates,
            "minutes": self._minutes(),
            "train_success": float(np.mean(self.successes)) if self.successes else math.nan,
            "train_return": float(np.mean(self.returns)) if self.returns else math.nan,
            "dropped": self.dropped,
            **self.learner.metrics(),
        }

    def _report(self, evaluated: bool) -> bool:
        """Move the progress bar and call the callback; True if it wants to stop."""
        if not self.bar.disable or self.callback:
            row = self._state()
            seconds, latest = max(time.monotonic() - self.began, 1e-6), self.evaluations[-1]
            self.bar.n = 100 * self._fraction()
            self.bar.set_postfix_str(
                f"{self.steps} steps, {self.steps / seconds:.0f}/s,"
                f" success {latest.success_rate:.0%}, return {latest.mean_return:.2f},"
                f" Q {row['q']:.2f}, temperature {row['temperature']:.3g}",
                refresh=False,
            )
            self.bar.update(0)
            if self.callback:
                return self.callback(Progress(self._fraction(), row, latest, evaluated, self.policy))
        return False

    def _minutes(self) -> float:
        return (time.monotonic() - self.began) / 60

    def _fraction(self) -> float:
        limit = self.config.minutes
        by_time = self._minutes() / limit if limit else 0.0
        return min(1.0, max(self.steps / self.config.steps, by_time))


def _rank(result: EvaluationResult) -> tuple[float, float]:
    return result.success_rate, result.mean_return

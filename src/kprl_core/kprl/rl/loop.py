"""The one training loop: acts, explores, feeds the learner, evaluates, and keeps the books."""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from kprl.errors import KprlError
from kprl.files import after_kill, disk_errors, write_json
from kprl.locks import sole_holder
from kprl.rl.acting import Finished, Worlds, WorldsFactory, episode_start, start_options
from kprl.rl.agent import Sizes
from kprl.rl.agents import AgentFactory, compile_note, make_actor, make_agent
from kprl.rl.checkpoint import POLICY, find_checkpoint, load_checkpoint, network_settings, save_checkpoint
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.episode import EpisodeRecorder
from kprl.rl.evaluation import EvaluationResult, evaluate
from kprl.rl.goal_env import GoalEnv, reward_of, vector_sizes
from kprl.rl.her import Reward
from kprl.rl.learner import InlineLearner, Learner, ReplayFactory
from kprl.rl.metrics_log import MetricsLog
from kprl.rl.plots import plot_curve
from kprl.rl.policy import Policy, load_policy, save_policy
from kprl.rl.process_learner import ProcessLearner
from kprl.rl.replay import Replay
from kprl.rl.resume import STATE, load_state, save_state
from kprl.rl.trial import TrialWorlds

ACTING_STREAM = 2
"""Second word of the acting generator's seed: 0 would be the stream of the evaluation's starts, 1 is the replay's."""
LOCK = ".train.lock"
UNTRAINED = "untrained.safetensors"
COUNTERS = ("steps", "episodes", "dropped", "credit", "next_evaluation", "next_row", "stopped")
EVALUATIONS = ("before", "latest", "best")
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
    resumed_minutes: float = 0.0  # of these, how many lie in earlier parts of a training that was interrupted


def train(
    env_factory: Callable[[], GoalEnv],
    config: TrainPolicyConfig,
    out: Path,
    *,
    compute_reward: Reward | None = None,
    evaluation_env_factory: Callable[[], GoalEnv] | None = None,
    worlds_factory: WorldsFactory | None = None,
    make_agent: AgentFactory = make_agent,
    make_replay: ReplayFactory = Replay,
    callback: Callback | None = None,
    show_progress: bool = True,
    resume: bool = False,
) -> TrainingResult:
    """Train a policy on a Gymnasium goal environment.

    Writes to `out`: metrics.csv, tensorboard/, curve.png, config.json, checkpoints/untrained, last and best, and at
    each evaluation training.safetensors, from which an interrupted training goes on: with the inline learner and one
    world exactly as if it had not been interrupted; with several worlds, the episodes under way begin anew.

    Args:
        env_factory: makes an environment whose observations have `observation`, `achieved_goal` and
            `desired_goal` (vectors), whose actions lie in [-1, 1], and whose info holds `is_success` and,
            where it has them, `privileged` and `regulation`. Its `reset` takes options
            {"start": "ordinary" | "curriculum"}.
        compute_reward: the environment's reward as a picklable function. Without it: its unwrapped
            `compute_reward` for the inline learner, its `reward_function` attribute for the process learner.
        evaluation_env_factory: a second environment for evaluations. Without it the first serves for both; with
            several workers neither does.
        worlds_factory: makes the `config.workers` worlds to train in, if more than one, and as many to evaluate in.
        make_agent: makes what learns; for the process learner a module-level function, as is the next.
        make_replay: makes the memory it learns from.
        callback: called after every training episode and every evaluation.
        resume: go on with the interrupted training in `out`, of the same settings; `steps` and `minutes`, of the
            whole training, may be others.

    Raises:
        KprlError: bad settings, an environment that does not fit, a divergence, a learner that died, a disk that
            is full. What the last evaluation left in `out` stays.
    """
    if config.workers > 1 and worlds_factory is None:
        raise KprlError(f"workers is {config.workers}, but this environment exists only once: set workers to 1")
    threads, began = torch.get_num_threads(), time.monotonic()
    torch.set_num_threads(1)  # 64x64 networks: a second thread costs more than it brings
    torch.set_flush_denormal(True)
    with ExitStack() as stack:
        stack.enter_context(sole_holder(out, LOCK, "kprl policy train"))
        stack.callback(torch.set_num_threads, threads)
        stack.callback(torch.set_flush_denormal, False)
        env = env_factory()
        stack.callback(env.close)
        evaluation_env = env
        if evaluation_env_factory is not None:
            evaluation_env = evaluation_env_factory()
            stack.callback(evaluation_env.close)
        sizes = vector_sizes(env, config.seed)
        state = load_state(out, config) if resume else None
        reward = compute_reward or reward_of(env, picklable=config.learner == "process")
        kind = InlineLearner if config.learner == "inline" else ProcessLearner
        learner: Learner = kind(config, sizes, reward, make_agent, make_replay)
        stack.callback(learner.close)
        policy = Policy(make_actor(make_agent, config, sizes))
        rng = np.random.default_rng((config.seed, ACTING_STREAM))
        worlds = trial_worlds = None
        if config.workers > 1 and worlds_factory:
            worlds = Worlds(worlds_factory, config, rng)
            stack.callback(worlds.close)
            trial_worlds = TrialWorlds(worlds_factory, config.workers)
            stack.callback(trial_worlds.close)
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / "config.json", asdict(config))
        log = stack.enter_context(MetricsLog(out, keep=state[1]["rows"] if state else 0))
        bar = stack.enter_context(_bar(show_progress))
        if show_progress and (note := compile_note(config)):
            bar.write(note, file=sys.stderr)
        judge = trial_worlds.evaluate if trial_worlds else partial(evaluate, env=evaluation_env)
        run = _Run(env, judge, worlds, rng, config, out, sizes, learner, policy, log, bar, callback, began)
        if state:
            run.go_on(*state)
        elif config.start_from:
            _transfer(find_checkpoint(Path(config.start_from)), learner, config)
        return run.run()


def _transfer(checkpoint: Path, learner: Learner, config: TrainPolicyConfig) -> None:
    """Start with the agent of another training (IV-B4), but with this one's seed, and memory still empty."""
    tensors, _ = load_checkpoint(checkpoint)
    for name, value in network_settings(checkpoint).items():
        if getattr(config, name) != value:
            mine = getattr(config, name)
            raise KprlError(f"{checkpoint} has {name} {value}, and this training {mine}: expected the same")
    own = learner.state_dict(replay=False)
    kept = ("agent.generator", "agent.updates")
    agent = {name: value for name, value in tensors.items() if name.startswith("agent.") and name not in kept}
    learner.load_state_dict(own | agent)


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
        judge: Callable[..., EvaluationResult],
        worlds: Worlds | None,
        rng: np.random.Generator,
        config: TrainPolicyConfig,
        out: Path,
        sizes: Sizes,
        learner: Learner,
        policy: Policy,
        log: MetricsLog,
        bar: tqdm[Any],
        callback: Callback | None,
        began: float,
    ) -> None:
        self.env, self.judge, self.worlds, self.rng = env, judge, worlds, rng
        self.config, self.out, self.sizes = config, out, sizes
        self.learner, self.policy, self.log, self.bar = learner, policy, log, bar
        self.callback, self.began = callback, began
        self.steps = self.episodes = self.dropped = 0
        self.credit = 0.0  # updates earned by steps and not yet asked for
        self.successes: deque[float] = deque(maxlen=TRAIN_WINDOW)
        self.returns: deque[float] = deque(maxlen=TRAIN_WINDOW)
        self.logged = (0, 0, began)  # steps, updates, time of the row before
        self.next_evaluation, self.next_row = config.evaluate_every, config.log_every
        self.before: EvaluationResult | None = None  # of the untrained policy
        self.latest: EvaluationResult | None = None
        self.best: EvaluationResult | None = None
        self.stopped = False  # by the callback
        self.resumed_minutes, self.resumed_steps = 0.0, 0  # done by earlier parts of a training

    def run(self) -> TrainingResult:
        """Train until steps, minutes or the callback end it; the last thing is always an evaluation."""
        config, checkpoints = self.config, self.out / "checkpoints"
        self._refresh()
        if not self.before:
            save_policy(self.policy, checkpoints / UNTRAINED)
            self.stopped = self._evaluate()
        if not self._ended():
            while not self._ended():
                if self.worlds:
                    self._episodes(self.worlds)
                else:
                    self._episode()
                if self.steps >= self.next_evaluation and self._fraction() < 1:
                    self.stopped = self._evaluate()
                else:
                    if self.steps >= self.next_row:
                        self._row({})
                        self.next_row = self.steps + config.log_every
                    self.stopped = self._report(evaluated=False)
            self._evaluate()
        assert self.best and self.before
        return TrainingResult(
            policy=load_policy(checkpoints / "best" / POLICY),
            best=self.best,
            untrained=load_policy(checkpoints / UNTRAINED),
            before=self.before,
            steps=self.steps,
            updates=self.learner.updates,
            minutes=self._minutes(),
            resumed_minutes=self.resumed_minutes,
        )

    def _ended(self) -> bool:
        return self.stopped or self._fraction() >= 1

    def go_on(self, learner: Mapping[str, torch.Tensor], progress: Mapping[str, Any]) -> None:
        """Take over what `_save` wrote."""
        for name in ("checkpoints/last", "checkpoints/best", STATE, "curve.png", "metrics.csv"):
            after_kill(self.out / name)
        self.learner.load_state_dict(learner)
        self.rng.bit_generator.state = progress["rng"]
        for name in COUNTERS:
            setattr(self, name, progress[name])
        self.successes.extend(progress["successes"])
        self.returns.extend(progress["returns"])
        self.before, self.latest, self.best = (EvaluationResult.from_json(progress[name]) for name in EVALUATIONS)
        self.resumed_minutes = progress["minutes"]
        self.began -= 60 * self.resumed_minutes
        self.logged = (self.steps, self.learner.updates, time.monotonic())
        self.resumed_steps = self.steps
        # Or the time left would count what another part did.
        self.bar.n = self.bar.initial = self.bar.last_print_n = 100 * self._fraction()

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
        self._refresh()
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
        result = self.judge(self.policy, episodes=self.config.evaluation_episodes, seed=self.config.seed)
        self.bar.set_description_str("policy")
        self.latest, self.before = result, self.before or result
        self._row({"eval_success": result.success_rate, "eval_return": result.mean_return})
        self.next_evaluation = self.steps + self.config.evaluate_every
        self.next_row = self.steps + self.config.log_every
        self._save(result)
        plot_curve(self.log.rows, self.out / "curve.png", "/".join(self.out.resolve().parts[-2:]))
        return self._report(evaluated=True)

    def _save(self, result: EvaluationResult) -> None:
        """Write the checkpoints, and last the state to resume from, each whole or not at all."""
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
        state = self.learner.state_dict(replay=True)
        agent = {name: tensor for name, tensor in state.items() if not name.startswith("replay.")}
        with disk_errors(self.out, "the training stopped; free some space and resume it"):
            save_checkpoint(self.out / "checkpoints" / "last", self.policy, agent, description)
            if self.best is None or _rank(result) > _rank(self.best):
                self.best = result
                save_checkpoint(self.out / "checkpoints" / "best", self.policy, agent, description)
            save_state(self.out, self.config, state, self._progress())

    def _progress(self) -> dict[str, Any]:
        """Everything beside the learner that `go_on` needs, as JSON values."""
        return {
            **{name: getattr(self, name) for name in COUNTERS},
            **{name: getattr(self, name).as_json() for name in EVALUATIONS},
            "rng": self.rng.bit_generator.state,
            "successes": list(self.successes),
            "returns": list(self.returns),
            "minutes": self._minutes(),
            "rows": len(self.log.rows),
        }

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
            seconds, latest = max(60 * (self._minutes() - self.resumed_minutes), 1e-6), self.latest
            assert latest
            self.bar.n = 100 * self._fraction()
            self.bar.set_postfix_str(
                f"{self.steps} steps, {(self.steps - self.resumed_steps) / seconds:.0f}/s,"
                f" success {latest.success_rate:.0%}, return {latest.mean_return:.2f}, Q {row['q']:.2f}"
                + ("" if math.isnan(row["temperature"]) else f", temperature {row['temperature']:.3g}"),
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

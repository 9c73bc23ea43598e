"""Training in several worlds at once: it learns, repeats itself, and survives a lost worker."""

from __future__ import annotations

import csv
import json
import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from goal_envs import STEPS, make_point_env

from kprl.action import ACTION_SIZE
from kprl.cli import main
from kprl.envs import vector_worker
from kprl.envs.vector import ManipulationVectorEnv
from kprl.errors import KprlError
from kprl.keypoints.encoder import load_encoder
from kprl.observation import END_EFFECTOR_SIZE
from kprl.policy_run import PolicyRun, make_env, make_worlds
from kprl.rl import acting, loop, trial
from kprl.rl.acting import NextReset, greedy_actions, sample_actions
from kprl.rl.checkpoint import load_checkpoint
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.episode import Episode
from kprl.rl.evaluation import EvaluationResult, evaluate, evaluation_seeds
from kprl.rl.learner import InlineLearner
from kprl.rl.loop import Progress, train
from kprl.rl.networks import Actor, seeded
from kprl.rl.policy import Policy

POINT = "kprl-test/Point-v0"
if POINT not in gymnasium.registry:
    gymnasium.register(POINT, entry_point="goal_envs:PointEnv", max_episode_steps=STEPS)

LEARNING = TrainPolicyConfig(
    learner="inline",
    workers=2,
    steps=2000,
    batch_size=128,
    learning_rate=2e-3,
    gamma=0.8,
    polyak=0.03,
    random_steps=200,
    updates_per_step=1.0,
    min_temperature=0.0,
    curriculum=0.3,
    evaluate_every=1000,
    log_every=300,
)
BRIEF = replace(LEARNING, steps=320, random_steps=100, evaluate_every=160, evaluation_episodes=3)


class Points:
    """Makes the worlds of a training and those of its evaluations, and keeps what the tests ask for."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, dict[str, Any]]] = []  # seed and options of each training episode
        self.judged: list[tuple[int, dict[str, Any]]] = []  # and of each evaluation's
        self.made: list[ManipulationVectorEnv] = []

    @property
    def env(self) -> ManipulationVectorEnv:
        """The worlds of the latest training."""
        return self.made[-2]

    def __call__(self, workers: int, next_reset: NextReset) -> ManipulationVectorEnv:
        episodes = self.judged if len(self.made) % 2 else self.begun

        def noted(world: int) -> tuple[int, dict[str, Any]]:
            episodes.append(next_reset(world))
            return episodes[-1]

        self.made.append(ManipulationVectorEnv(POINT, workers, next_reset=noted))
        return self.made[-1]


@pytest.fixture
def learnt_from(monkeypatch: pytest.MonkeyPatch) -> list[Episode]:
    """The episodes that inline learners were given."""
    episodes: list[Episode] = []

    class Watched(InlineLearner):
        def add(self, episode: Episode) -> None:
            episodes.append(episode)
            super().add(episode)

    monkeypatch.setattr(loop, "InlineLearner", Watched)
    return episodes


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def test_it_learns_in_two_worlds(tmp_path: Path) -> None:
    result = train(make_point_env, LEARNING, tmp_path, worlds_factory=Points(), show_progress=False)
    assert result.steps == LEARNING.steps  # all worlds' together
    assert result.updates == LEARNING.steps - LEARNING.random_steps
    assert result.before.success_rate < 0.4
    assert evaluate(result.policy, make_point_env(), 50, seed=99).success_rate >= 0.9
    rows = rows_of(tmp_path)
    assert {row["dropped"] for row in rows} == {"0"} and float(rows[-1]["eval_success"]) >= 0.9
    assert json.loads((tmp_path / "config.json").read_text())["workers"] == 2


def test_it_learns_at_the_same_time_and_ends_when_told(tmp_path: Path) -> None:
    def callback(progress: Progress) -> bool:
        return progress.row["step"] >= 240

    config, worlds = replace(BRIEF, learner="process", max_lag=50), Points()
    result = train(make_point_env, config, tmp_path, worlds_factory=worlds, callback=callback, show_progress=False)
    assert result.steps == 240 and worlds.env.closed
    assert abs(result.updates - (240 - BRIEF.random_steps)) <= config.max_lag + 20


def test_it_repeats_itself_and_learns_from_whole_episodes(tmp_path: Path, learnt_from: list[Episode]) -> None:
    config, worlds = replace(BRIEF, curriculum=0.5), Points()
    for name in ("one", "two"):
        train(make_point_env, config, tmp_path / name, worlds_factory=worlds, show_progress=False)
    one, _ = load_checkpoint(tmp_path / "one" / "checkpoints" / "last")
    two, _ = load_checkpoint(tmp_path / "two" / "checkpoints" / "last")
    assert all(np.array_equal(one[name].numpy(), two[name].numpy()) for name in one)

    assert len(learnt_from) == 2 * config.steps / STEPS
    share = np.mean([options["start"] == "curriculum" for _, options in worlds.begun])
    assert 0.2 < share < 0.8
    evaluations = np.random.default_rng(config.seed).integers(2**31, size=50).tolist()
    assert not {seed for seed, _ in worlds.begun} & set(evaluations)
    assert {seed for seed, _ in worlds.judged} == set(evaluations[: config.evaluation_episodes])
    assert {options["start"] for _, options in worlds.judged} == {"ordinary"}
    # Each is what its world alone gives under its actions.
    env = make_point_env()
    for episode, (seed, options) in zip(learnt_from[: config.steps // STEPS], worlds.begun, strict=False):
        first, _ = env.reset(seed=seed, options=options)
        assert np.array_equal(episode.observation[0], first["observation"])
        for step, action in enumerate(episode.action, start=1):
            seen, *_, info = env.step(action)
            assert np.array_equal(episode.observation[step], seen["observation"])
            assert np.array_equal(episode.achieved_goal[step], seen["achieved_goal"])
            assert np.array_equal(episode.privileged[step], info["privileged"])
            assert np.array_equal(episode.desired_goal[step - 1], seen["desired_goal"])
        assert len(episode) == STEPS and episode.regulation == pytest.approx(info["regulation"])
        assert not episode.terminated.any()


def test_a_lost_worker_costs_its_episode_and_nothing_else(
    tmp_path: Path, learnt_from: list[Episode], monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds, steps_made = Points(), 0
    step = acting.Worlds.step

    def kill_at_30(self: acting.Worlds, policy: Policy, random: bool) -> acting.Stepped:
        nonlocal steps_made
        steps_made += 1
        if steps_made == 30:  # in the middle of the second episode
            os.kill(worlds.env.pids[1], signal.SIGKILL)
        return step(self, policy, random)

    monkeypatch.setattr(acting.Worlds, "step", kill_at_30)
    with pytest.warns(RuntimeWarning, match="worker 1 .*SIGKILL.*episode is dropped"):
        result = train(make_point_env, BRIEF, tmp_path, worlds_factory=worlds, show_progress=False)
    assert result.steps >= BRIEF.steps
    assert [row["dropped"] for row in rows_of(tmp_path)] == ["0", "1", "1"]
    assert {len(episode) for episode in learnt_from} == {STEPS}
    # What the lost episode had made of its steps is counted, its step that was lost is not.
    assert result.steps == 2 * steps_made - 1
    assert result.updates == result.steps - BRIEF.random_steps


def summary(result: EvaluationResult) -> list[tuple[Any, ...]]:
    return [(o.seed, o.success, o.steps, o.outcome, pytest.approx(o.episode_return, abs=1e-4)) for o in result.outcomes]


@pytest.mark.parametrize("after", ["an episode", "some steps"])
def test_several_worlds_judge_as_one_does_though_a_worker_is_lost(after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with seeded(0):
        policy = Policy(Actor(4, 2, (8,), normalise=False))
    alone = evaluate(policy, make_point_env(), 7, seed=3)
    assert len({round(o.episode_return, 3) for o in alone.outcomes}) >= 5  # to tell them apart
    worlds: list[ManipulationVectorEnv] = []
    events = {"an episode": 0, "some steps": 0}

    def count(event: str, fatal: int) -> None:
        events[event] += 1
        if event == after and events[event] == fatal:
            os.kill(worlds[0].pids[1], signal.SIGKILL)

    def make(workers: int, next_reset: NextReset) -> ManipulationVectorEnv:
        def noted(world: int) -> tuple[int, dict[str, Any]]:
            count("an episode", fatal=16)  # of the second evaluation: between two episodes
            return next_reset(world)

        worlds.append(ManipulationVectorEnv(POINT, workers, next_reset=noted))
        return worlds[0]

    def noted_actions(*given: Any) -> np.ndarray:
        count("some steps", fatal=3 * STEPS + STEPS // 2)  # of the second evaluation: in the middle of an episode
        return greedy_actions(*given)

    monkeypatch.setattr(trial, "greedy_actions", noted_actions)
    judges = trial.TrialWorlds(make, 3)
    try:
        assert summary(judges.evaluate(policy, 7, seed=3)) == summary(alone)
        with pytest.warns(RuntimeWarning, match="SIGKILL"):
            again = judges.evaluate(policy, 7, seed=3)
    finally:
        judges.close()
    assert summary(again) == summary(alone) and again.ci95 == alone.ci95


def test_an_episode_that_kills_its_worker_every_time_ends_the_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = Policy(Actor(4, 2, (8,), normalise=False))
    worlds: list[ManipulationVectorEnv] = []
    bad = evaluation_seeds(4, seed=3)[2]

    def make(workers: int, next_reset: NextReset) -> ManipulationVectorEnv:
        def noted(world: int) -> tuple[int, dict[str, Any]]:
            begin = next_reset(world)
            if begin[0] == bad and worlds:
                os.kill(worlds[0].pids[world], signal.SIGKILL)
            return begin

        worlds.append(ManipulationVectorEnv(POINT, workers, next_reset=noted))
        return worlds[0]

    judges = trial.TrialWorlds(make, 2)
    refused = pytest.raises(KprlError, match=f"seed {bad} has cost 3 workers")
    with refused, pytest.warns(RuntimeWarning, match="SIGKILL"):
        judges.evaluate(policy, 4, seed=3)
    judges.close()


def test_several_worlds_tell_how_grasps_ended(quick_keypoints: Path) -> None:
    run = PolicyRun(quick_keypoints, Path("none"))
    encoder = load_encoder(quick_keypoints)
    policy = Policy(Actor(2 * encoder.num_keypoints + END_EFFECTOR_SIZE + 3, ACTION_SIZE, (8,), normalise=False))
    judges = trial.TrialWorlds(partial(make_worlds, run), 2)
    env = make_env("grasp", "env1", "cube", encoder)
    try:
        found = judges.evaluate(policy, 3, seed=5)
        assert summary(found) == summary(evaluate(policy, env, 3, seed=5))
    finally:
        judges.close()
        env.close()
    assert {o.outcome for o in found.outcomes} <= {"missed", "dropped", "timed_out", "success"}


def test_a_worker_that_cannot_live_ends_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = Points()
    step = acting.Worlds.step

    def kill(self: acting.Worlds, policy: Policy, random: bool) -> acting.Stepped:
        os.kill(worlds.env.pids[0], signal.SIGKILL)
        return step(self, policy, random)

    monkeypatch.setattr(acting.Worlds, "step", kill)
    monkeypatch.setattr(vector_worker, "MAX_CRASHES", 1)
    with pytest.raises(KprlError, match="crashed 2 times"), pytest.warns(RuntimeWarning, match="SIGKILL"):
        train(make_point_env, BRIEF, tmp_path, worlds_factory=worlds, show_progress=False)
    assert worlds.env.closed


def test_one_worker_acts_in_this_process(tmp_path: Path) -> None:
    def none(workers: int, next_reset: NextReset) -> ManipulationVectorEnv:
        raise AssertionError("no world but the first is needed")

    train(make_point_env, replace(BRIEF, workers=1), tmp_path, worlds_factory=none, show_progress=False)


def test_settings_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(KprlError, match="workers is 2, but this environment exists only once"):
        train(make_point_env, BRIEF, tmp_path)
    with pytest.raises(KprlError, match="workers is 0"):
        replace(BRIEF, workers=0)


def test_a_batch_is_sampled_as_one_by_one() -> None:
    policy = Policy(Actor(4, 2, (8,), normalise=False))
    batch = {name: np.random.default_rng(0).normal(size=(3, 2)) for name in ("observation", "desired_goal")}
    actions = sample_actions(policy, batch, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    for world, action in enumerate(actions):
        alone = policy.act({name: rows[world] for name, rows in batch.items()}, deterministic=False, rng=rng)
        assert action == pytest.approx(alone, abs=1e-6)
    assert actions.dtype == np.float32 and actions.shape == (3, 2)


def test_the_command_trains_in_two_worlds(quick_keypoints: Path, tmp_path: Path) -> None:
    main(
        ["policy", "train", "--keypoints", str(quick_keypoints), "--out", str(tmp_path / "run"), "--workers", "2",
         "--steps", "200", "--random-steps", "120", "--learner", "inline", "--evaluation-episodes", "1",
         "--final-episodes", "1"]
    )  # fmt: skip
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["env_steps"] == 200 and summary["updates"] == 2 * (200 - 120)
    assert json.loads((tmp_path / "run" / "policy" / "config.json").read_text())["workers"] == 2

"""The training loop: it learns, with either learner, and leaves what it promises."""

from __future__ import annotations

import csv
import json
import time
from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from goal_envs import PointEnv, make_point_env, nan_reward

from kprl.errors import KprlError
from kprl.rl import agents, loop
from kprl.rl.agent import Sizes
from kprl.rl.checkpoint import load_checkpoint
from kprl.rl.config import PRESETS, TrainPolicyConfig, preset
from kprl.rl.evaluation import evaluate
from kprl.rl.goal_env import GoalEnv
from kprl.rl.learner import InlineLearner
from kprl.rl.loop import ACTING_STREAM, Progress, train
from kprl.rl.metrics_log import COLUMNS
from kprl.rl.policy import load_policy

LEARNING = TrainPolicyConfig(
    learner="inline",
    steps=2500,
    batch_size=128,
    learning_rate=2e-3,
    gamma=0.8,
    polyak=0.03,
    random_steps=200,
    updates_per_step=1.0,
    min_temperature=0.0,
    curriculum=0.3,
    evaluate_every=1250,
    log_every=300,
)
BRIEF = replace(LEARNING, steps=300, random_steps=100, evaluate_every=150, evaluation_episodes=3)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("learner", ["inline", "process"])
def test_it_learns_to_reach(learner: str, tmp_path: Path) -> None:
    began = time.process_time()
    config = replace(LEARNING, learner=learner, max_lag=50)
    result = train(make_point_env, config, tmp_path, show_progress=False)
    assert time.process_time() - began < 120  # CPU time: it takes 20 to 40 s, by how fast the cores are at the moment
    assert result.before.success_rate < 0.4
    assert evaluate(result.policy, make_point_env(), 50, seed=99).success_rate >= 0.9
    expected = config.steps - config.random_steps
    assert abs(result.updates - expected) <= config.max_lag + 20
    rows = rows_of(tmp_path)
    assert tuple(rows[0]) == COLUMNS and float(rows[0]["eval_success"]) == result.before.success_rate
    assert float(rows[-1]["eval_success"]) >= 0.9 and float(rows[-1]["updates_per_s"]) > 0


def test_what_a_run_leaves(tmp_path: Path) -> None:
    result = train(make_point_env, BRIEF, tmp_path, show_progress=False)
    found = {path.name for path in tmp_path.iterdir()}
    assert found == {"metrics.csv", "tensorboard", "curve.png", "config.json", "checkpoints", "training.safetensors"}
    assert list((tmp_path / "tensorboard").iterdir())
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "config.json").read_text())["gamma"] == BRIEF.gamma
    tensors, description = load_checkpoint(tmp_path / "checkpoints" / "last")
    assert description["steps"] == result.steps == 300
    sizes = Sizes(**description["sizes"])
    again = InlineLearner(BRIEF, sizes, PointEnv().compute_reward)
    again.load_state_dict(tensors)
    assert again.updates == result.updates
    _, best = load_checkpoint(tmp_path / "checkpoints" / "best")
    assert best["success_rate"] == result.best.success_rate
    policy = load_policy(tmp_path / "checkpoints" / "best" / "policy.safetensors")
    assert evaluate(policy, make_point_env(), 3, seed=BRIEF.seed) == result.best
    (tmp_path / "checkpoints" / "last" / "learner.safetensors").write_bytes(b"x")
    with pytest.raises(KprlError, match="is damaged"):
        load_checkpoint(tmp_path / "checkpoints" / "last")


def test_a_seed_gives_the_same_training(tmp_path: Path) -> None:
    for name in ("one", "two"):
        train(make_point_env, BRIEF, tmp_path / name, show_progress=False)
    one, _ = load_checkpoint(tmp_path / "one" / "checkpoints" / "last")
    two, _ = load_checkpoint(tmp_path / "two" / "checkpoints" / "last")
    assert all(np.array_equal(one[name].numpy(), two[name].numpy()) for name in one)


def test_curriculum_starts_are_for_training_only(tmp_path: Path) -> None:
    env, evaluation_env = make_point_env(), make_point_env()
    config = replace(BRIEF, curriculum=0.5, steps=600)
    train(lambda: env, config, tmp_path, evaluation_env_factory=lambda: evaluation_env, show_progress=False)
    assert isinstance(env.unwrapped, PointEnv) and isinstance(evaluation_env.unwrapped, PointEnv)
    share = np.mean([start == "curriculum" for start in env.unwrapped.starts])
    assert 0.2 < share < 0.8
    assert set(evaluation_env.unwrapped.starts) == {"ordinary"}


def test_an_evaluation_does_not_repeat_training_starts(tmp_path: Path) -> None:
    env, other = make_point_env(), make_point_env()
    train(lambda: env, BRIEF, tmp_path / "one", show_progress=False)
    train(
        lambda: other,
        replace(BRIEF, evaluate_every=10**6),
        tmp_path / "two",
        show_progress=False,
    )
    assert isinstance(env.unwrapped, PointEnv) and isinstance(other.unwrapped, PointEnv)
    evaluated = BRIEF.evaluation_episodes * 20
    # The very same training, whether evaluations came in between or not.
    first, second = env.unwrapped.actions, other.unwrapped.actions
    training = [*first[evaluated : evaluated + 160], *first[2 * evaluated + 160 : -evaluated]]
    assert np.array_equal(training, second[evaluated:-evaluated])


def test_training_draws_none_of_the_evaluations_seeds() -> None:
    for seed in range(5):
        evaluations = set(np.random.default_rng(seed).integers(2**31, size=50).tolist())
        acting = np.random.default_rng((seed, ACTING_STREAM))
        # As in an episode: one draw decides the start, the next the seed.
        drawn = {int(acting.integers(2**31)) for _ in range(200) if acting.random() >= 0}
        assert drawn.isdisjoint(evaluations)
    assert ACTING_STREAM != 0  # (seed, 0) is the very stream of default_rng(seed)


def test_exploration_is_uniform_with_its_probability(tmp_path: Path) -> None:
    env = make_point_env()
    train(lambda: env, replace(BRIEF, random_exploration=1.0), tmp_path, show_progress=False)
    assert isinstance(env.unwrapped, PointEnv)
    evaluated = BRIEF.evaluation_episodes * 20
    actions = np.array(env.unwrapped.actions)[evaluated : evaluated + 160]
    assert np.abs(actions.mean(0)).max() < 0.15 and actions.std(0) == pytest.approx([0.577] * 2, abs=0.08)


def test_callback_sees_progress_and_can_stop(tmp_path: Path) -> None:
    seen: list[Progress] = []

    def callback(progress: Progress) -> bool:
        seen.append(progress)
        return progress.row["step"] >= 200

    result = train(make_point_env, BRIEF, tmp_path, callback=callback, show_progress=True)
    assert result.steps == 200
    assert [p.evaluated for p in seen].count(True) == 3  # before, at 160, at the end
    assert seen[0].fraction == 0 and seen[-1].fraction == pytest.approx(200 / 300)
    assert all(p.evaluation is not None for p in seen)


def test_minutes_end_a_run(tmp_path: Path) -> None:
    began = time.monotonic()
    config = replace(BRIEF, steps=10**9, minutes=0.1, evaluate_every=10**6, compile="no")
    result = train(make_point_env, config, tmp_path, show_progress=False)
    assert result.steps > 0 and time.monotonic() - began < 30


@pytest.mark.parametrize(("learner", "words"), [("inline", "critic_loss is nan"), ("process", "diverged after")])
def test_divergence_keeps_the_last_good_checkpoint(learner: str, words: str, tmp_path: Path) -> None:
    """The environment asserts that no action is NaN: a diverged policy must not move anything."""
    config = replace(BRIEF, learner=learner)
    with pytest.raises(KprlError, match=words):
        train(make_point_env, config, tmp_path, compute_reward=nan_reward, show_progress=False)
    tensors, _ = load_checkpoint(tmp_path / "checkpoints" / "last")
    assert all(np.isfinite(tensor.numpy()).all() for tensor in tensors.values())
    assert load_policy(tmp_path / "checkpoints" / "last" / "policy.safetensors")


def test_a_learner_killed_in_mid_training_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[loop.ProcessLearner] = []

    class Watched(loop.ProcessLearner):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            made.append(self)

    def callback(progress: Progress) -> bool:
        if progress.row["step"] >= 200:
            made[0].process.kill()
        return False

    monkeypatch.setattr(loop, "ProcessLearner", Watched)
    config = replace(BRIEF, learner="process", steps=10**6, max_lag=20)
    with pytest.raises(KprlError, match="learner process died"):
        train(make_point_env, config, tmp_path, callback=callback, show_progress=False)
    assert not made[0].process.is_alive()


def test_environments_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(KprlError, match="expected a Dict with observation"):
        train(lambda: gymnasium.make("CartPole-v1"), BRIEF, tmp_path)  # type: ignore[arg-type]

    def wide_actions() -> GoalEnv:
        env = PointEnv()
        env.action_space = gymnasium.spaces.Box(-2, 2, (2,), np.float32)
        return env

    with pytest.raises(KprlError, match="expected a vector Box from -1 to 1"):
        train(wide_actions, BRIEF, tmp_path)

    def no_reward_function() -> GoalEnv:
        env = PointEnv()
        del env.reward_function
        return env

    with pytest.raises(KprlError, match="picklable function"):
        train(no_reward_function, replace(BRIEF, learner="process"), tmp_path)
    assert not list(tmp_path.iterdir())


def test_presets() -> None:
    paper = preset("paper")
    assert (paper.batch_size, paper.learning_rate, paper.random_exploration) == (512, 3e-4, 0.2)
    assert (paper.relabels, paper.buffer_size) == (4, 50_000)
    assert paper.actor_hidden == paper.critic_hidden == (64, 64)
    assert (paper.critic, paper.curriculum, paper.normalise) == ("observation", 0.0, False)
    assert preset("quick").critic == "goal_relative" and preset("quick").curriculum > 0
    with pytest.raises(KprlError, match="preset 'fast': choose one of full, goal, gpu, paper, plain, quick$"):
        preset("fast")
    assert set(PRESETS) == {"full", "goal", "gpu", "paper", "plain", "quick"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("gamma", 1.0),
        ("polyak", 0.0),
        ("curriculum", 1.5),
        ("relabels", -1),
        ("steps", 0),
        ("minutes", -1.0),
        ("actor_hidden", ()),
        ("critic", "both"),
    ],
)
def test_bad_settings_are_refused_in_words(field: str, value: object) -> None:
    with pytest.raises(KprlError, match=field):
        replace(BRIEF, **{field: value})  # type: ignore[arg-type]


def test_updates_are_compiled_where_it_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    long, short = TrainPolicyConfig(steps=60_000), TrainPolicyConfig(steps=1_000)
    for found, expected in (("g++", (True, False)), (None, (False, False))):
        monkeypatch.setattr(agents, "compiler", lambda found=found: found)
        assert (agents.to_be_compiled(long), agents.to_be_compiled(short)) == expected
        assert not agents.to_be_compiled(replace(long, compile="no"))
    with monkeypatch.context() as on_gpu:  # where an update takes little time as it is
        on_gpu.setattr(agents, "choose_device", lambda name: torch.device("cuda"))
        on_gpu.setattr(agents, "compiler", lambda: "g++")
        longer = replace(long, steps=70_000)
        assert (agents.to_be_compiled(longer), agents.to_be_compiled(long)) == (True, False)
    assert "no C++ compiler" in agents.compile_note(long) and not agents.compile_note(short)
    with pytest.raises(KprlError, match="compile is 'yes', but there is no C\\+\\+ compiler"):
        agents.to_be_compiled(replace(short, compile="yes"))

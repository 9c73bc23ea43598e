"""Evaluation: ordinary starts, the same for a seed, with the right interval."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from goal_envs import STEP, STEPS, PointEnv, make_point_env

from kprl.errors import KprlError
from kprl.rl.evaluation import evaluate, wilson_interval


class Straight:
    """Goes to the goal as fast as it can."""

    def act(self, observation: Mapping[str, np.ndarray]) -> np.ndarray:
        gap = observation["desired_goal"] - observation["observation"]
        return np.clip(gap / STEP, -1, 1).astype(np.float32)


class Still:
    """Does nothing."""

    def act(self, observation: Mapping[str, np.ndarray]) -> np.ndarray:
        return np.zeros(2, np.float32)


def test_wilson_interval_against_published_values() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson_interval(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)


def test_success_is_counted_at_the_end_of_ordinary_episodes() -> None:
    env = make_point_env()
    good, bad = evaluate(Straight(), env, 15, seed=0), evaluate(Still(), env, 15, seed=0)
    assert isinstance(env.unwrapped, PointEnv) and set(env.unwrapped.starts) == {"ordinary"}
    assert good.success_rate == 1 and good.ci95[1] == 1 and good.episodes == 15
    assert bad.success_rate < 0.2 and bad.mean_return < good.mean_return
    assert {outcome.steps for outcome in good.outcomes} == {STEPS}


def test_a_seed_repeats_the_episodes() -> None:
    env = make_point_env()
    one, two, other = (evaluate(Straight(), env, 5, seed=seed) for seed in (1, 1, 2))
    assert one == two
    assert {o.seed for o in one.outcomes}.isdisjoint(o.seed for o in other.outcomes)


def test_filming() -> None:
    result = evaluate(Straight(), make_point_env("rgb_array"), 3, seed=0, film=2)
    assert [len(frames) for frames in result.frames] == [STEPS + 1] * 2
    assert result.frames[0][0].shape == (16, 16, 3)
    with pytest.raises(KprlError, match="render_mode None"):
        evaluate(Straight(), make_point_env(), 1, seed=0, film=1)
    with pytest.raises(KprlError, match="at least 1"):
        evaluate(Straight(), make_point_env(), 0, seed=0)

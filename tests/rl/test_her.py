"""Hindsight relabelling and the replay memory, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from goal_envs import point_reward
from hypothesis import given, settings
from hypothesis import strategies as st
from make_episodes import SIZES, counted_episode, random_episode

from kprl.errors import KprlError
from kprl.rl.her import future_offsets, hindsight_batch
from kprl.rl.replay import Replay


def test_one_step_before_the_end_has_two_possible_goals() -> None:
    replay = Replay(10, SIZES)
    replay.add(counted_episode(1, 2))
    batch = hindsight_batch(replay, 4000, 4, point_reward, np.random.default_rng(0))
    first = batch.observation[:, 0] == 100
    # Step 0 achieved (100, 1), step 1 achieved (101, 1); the real goal is (-1, -1).
    goals, counts = np.unique(batch.goal[first], axis=0, return_counts=True)
    assert goals.tolist() == [[-1, -1], [100, 1], [101, 1]]
    assert counts / first.sum() == pytest.approx([0.2, 0.4, 0.4], abs=0.04)
    assert np.unique(batch.goal[~first], axis=0).tolist() == [[-1, -1], [101, 1]]


def test_rewards_are_those_of_the_new_goal() -> None:
    replay = Replay(10, SIZES)
    replay.add(counted_episode(0, 3))
    batch = hindsight_batch(replay, 500, 4, point_reward, np.random.default_rng(1))
    step = batch.action[:, 0]
    # Achieved (t, 0) and relabelled (t', 0) lie t' - t apart; regulation t / 10. The real goal is (0, -1).
    relabelled = batch.goal[:, 1] == 0
    distance = np.where(relabelled, batch.goal[:, 0] - step, np.hypot(step, 1))
    assert np.allclose(batch.reward, -np.clip(distance, 0, 1) + step / 10, atol=1e-6)
    assert np.unique(batch.reward[relabelled & (distance == 0)]) == pytest.approx([0, 0.1, 0.2])


def test_rows_stay_together() -> None:
    replay = Replay(50, SIZES)
    for number in range(4):
        replay.add(counted_episode(number, 5))
    batch = hindsight_batch(replay, 300, 4, point_reward, np.random.default_rng(2))
    now = batch.observation[:, 0]
    assert np.array_equal(batch.next_observation, batch.observation + 1)
    assert np.array_equal(batch.privileged[:, 0], now + 0.5)
    assert np.array_equal(batch.next_privileged, batch.privileged + 1)
    assert np.array_equal(batch.achieved[:, 0], now - 1)  # before the step
    assert np.array_equal(batch.next_achieved[:, 0], now)
    assert np.array_equal(batch.action[:, 0], now % 100)
    assert batch.terminated.sum() == 0


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=12),
    capacity=st.integers(9, 30),
    seed=st.integers(0, 1000),
)
def test_goals_come_from_a_later_step_of_the_same_episode(lengths: list[int], capacity: int, seed: int) -> None:
    replay = Replay(capacity, SIZES)
    for number, steps in enumerate(lengths):
        replay.add(counted_episode(number, steps))
    assert len(replay) == min(sum(lengths), capacity)
    batch = hindsight_batch(replay, 200, 4, point_reward, np.random.default_rng(seed))
    number, step = np.divmod(batch.observation[:, 0], 100)
    relabelled = batch.goal[:, 1] >= 0
    assert np.array_equal(batch.goal[relabelled, 1], number[relabelled])
    later = batch.goal[relabelled, 0] - 100 * number[relabelled]
    assert np.all(later >= step[relabelled])
    assert np.all(later < np.array(lengths)[number[relabelled].astype(int)])
    assert np.array_equal(batch.goal[~relabelled, 0], -number[~relabelled])


def test_four_of_five_are_relabelled_and_none_without_hindsight() -> None:
    left = np.full(20_000, 7)
    relabelled, offset = future_offsets(left, 4, np.random.default_rng(3))
    assert relabelled.mean() == pytest.approx(0.8, abs=0.01)
    assert np.bincount(offset) / len(left) == pytest.approx([1 / 8] * 8, abs=0.01)
    assert not future_offsets(left, 0, np.random.default_rng(3))[0].any()


def test_the_oldest_steps_are_overwritten() -> None:
    replay = Replay(10, SIZES)
    for number in range(3):
        replay.add(counted_episode(number, 4))
    kept = np.sort(replay.table[:, replay.columns["observation"]][:, 0]).tolist()
    assert kept == [2, 3, 100, 101, 102, 103, 200, 201, 202, 203]


def test_state_survives() -> None:
    rng = np.random.default_rng(4)
    replay, copy = Replay(25, SIZES), Replay(25, SIZES)
    for _ in range(4):
        replay.add(random_episode(rng))
    copy.load_state_dict(replay.state_dict())
    one = hindsight_batch(replay, 64, 4, point_reward, np.random.default_rng(5))
    two = hindsight_batch(copy, 64, 4, point_reward, np.random.default_rng(5))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    with pytest.raises(KprlError, match="does not fit"):
        Replay(24, SIZES).load_state_dict(replay.state_dict())


def test_bad_episodes_are_refused_in_words() -> None:
    replay, rng = Replay(20, SIZES), np.random.default_rng(6)
    with pytest.raises(KprlError, match="30 steps does not fit"):
        replay.add(random_episode(rng, steps=30))
    with pytest.raises(KprlError, match="the agent expects"):
        replay.add(random_episode(rng, SIZES._replace(observation=5)))
    episode = random_episode(rng)
    episode.observation[3, 1] = np.nan
    with pytest.raises(KprlError, match="NaN"):
        replay.add(episode)
    assert len(replay) == 0

"""Both learners: determinism, pacing, state, and dying loudly."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from goal_envs import nan_reward, point_reward
from make_episodes import SIZES, random_episode

from kprl.errors import KprlError
from kprl.rl import process_learner
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.learner import METRICS, InlineLearner
from kprl.rl.process_learner import ProcessLearner

CONFIG = TrainPolicyConfig(batch_size=64, max_lag=30, compile="no")


@pytest.fixture
def learner() -> Iterator[ProcessLearner]:
    made = ProcessLearner(CONFIG, SIZES, point_reward)
    yield made
    made.close()
    assert not made.process.is_alive()


def inline_weights(seed: int) -> np.ndarray:
    """What thirty updates make of ten episodes."""
    learner, rng = InlineLearner(CONFIG, SIZES, point_reward), np.random.default_rng(seed)
    for _ in range(10):
        learner.add(random_episode(rng))
        learner.update(3)
    weights = learner.weights()
    assert weights is not None and learner.weights() is None
    return weights


def test_inline_learning_is_bit_exact() -> None:
    torch.set_num_threads(1)
    assert np.array_equal(inline_weights(0), inline_weights(0))
    assert not np.array_equal(inline_weights(0), inline_weights(1))


def test_inline_state_goes_on_bit_for_bit() -> None:
    rng = np.random.default_rng(2)
    one, two = (InlineLearner(CONFIG, SIZES, point_reward) for _ in range(2))
    one.add(random_episode(rng))
    one.update(3)
    two.load_state_dict(one.state_dict(replay=True))
    assert two.updates == 3
    one.update(3)
    two.update(3)
    for name, tensor in one.state_dict(replay=True).items():
        assert torch.equal(tensor, two.state_dict(replay=True)[name]), name


def test_nan_is_raised_in_words() -> None:
    learner = InlineLearner(CONFIG, SIZES, nan_reward)
    learner.add(random_episode(np.random.default_rng(3)))
    assert np.isnan(learner.metrics()["q"])  # before the first update that is no fault
    learner.update(2)
    with pytest.raises(KprlError, match="diverged after 2 updates: critic_loss is nan"):
        learner.metrics()


def test_an_impossible_q_is_raised_in_words() -> None:
    learner = InlineLearner(CONFIG, SIZES, point_reward)
    learner.add(random_episode(np.random.default_rng(4)))
    learner.update(1)
    assert set(learner.metrics()) == set(METRICS)
    with torch.no_grad():
        learner.agent.critic.biases[-1].fill_(1e9)
    learner.update(1)
    with pytest.raises(KprlError, match="beyond any return"):
        learner.metrics()


def test_process_learner_keeps_pace(learner: ProcessLearner) -> None:
    rng = np.random.default_rng(5)
    first = learner.weights()
    assert first is not None and learner.weights() is None
    for _ in range(5):
        learner.add(random_episode(rng))
    time.sleep(0.2)
    assert learner.updates == 0  # nothing is allowed yet
    allowed = 0
    for _ in range(60):
        learner.update(5)
        allowed += 5
        assert allowed - CONFIG.max_lag <= learner.updates <= allowed + CONFIG.max_lag
    deadline = time.monotonic() + 20
    while learner.updates < allowed + CONFIG.max_lag:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.2)
    assert learner.updates == allowed + CONFIG.max_lag  # ahead by that much, and no more
    last = learner.weights()
    assert last is not None and not np.array_equal(first, last)
    assert all(np.isfinite(value) for value in learner.metrics().values())


def test_process_learner_gives_and_takes_state(learner: ProcessLearner) -> None:
    source = InlineLearner(CONFIG, SIZES, point_reward)
    source.add(random_episode(np.random.default_rng(6)))
    source.update(4)
    state = source.state_dict(replay=True)
    learner.load_state_dict(state)
    back = learner.state_dict(replay=True)
    assert learner.updates == 4 and state.keys() == back.keys()
    assert all(torch.equal(state[name], back[name]) for name in state)
    weights, own = learner.weights(), source.weights()
    assert weights is not None and own is not None and np.array_equal(weights, own)


def test_a_killed_learner_is_noticed(learner: ProcessLearner) -> None:
    rng = np.random.default_rng(7)
    learner.add(random_episode(rng))
    learner.update(20)
    assert learner.process.pid is not None
    os.kill(learner.process.pid, signal.SIGKILL)
    with pytest.raises(KprlError, match=r"learner process died \(exit code -9\)"):
        for _ in range(1000):
            learner.add(random_episode(rng))
            learner.update(20)
    with pytest.raises(KprlError, match="died"):
        learner.state_dict(replay=False)


def test_a_learner_that_stands_still_is_noticed(learner: ProcessLearner, monkeypatch: pytest.MonkeyPatch) -> None:
    learner.weights()
    monkeypatch.setattr(process_learner, "STALL_TIMEOUT_S", 0.5)
    monkeypatch.setattr(process_learner, "STOP_TIMEOUT_S", 0.5)
    assert learner.process.pid is not None
    os.kill(learner.process.pid, signal.SIGSTOP)
    rng = np.random.default_rng(8)
    with pytest.raises(KprlError, match=r"stood still for 0\.5 s"):
        for _ in range(5):
            learner.add(random_episode(rng))
    learner.close()


def test_a_first_update_that_is_compiled_may_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (("STALL_TIMEOUT_S", 0.2), ("COMPILE_TIMEOUT_S", 1.0), ("STOP_TIMEOUT_S", 0.5)):
        monkeypatch.setattr(process_learner, name, seconds)
    learner = ProcessLearner(replace(CONFIG, compile="yes"), SIZES, point_reward)
    try:
        assert learner.process.pid is not None
        os.kill(learner.process.pid, signal.SIGSTOP)
        with pytest.raises(KprlError, match="stood still for 1 s after 0 updates"):
            learner.weights()
    finally:
        learner.close()


def test_faults_inside_the_learner_come_out() -> None:
    learner = ProcessLearner(CONFIG, SIZES, nan_reward)
    try:
        learner.add(random_episode(np.random.default_rng(9)))
        with pytest.raises(KprlError, match="diverged after 100 updates"):
            for _ in range(100):
                learner.update(20)
    finally:
        learner.close()


def test_a_reward_that_cannot_travel_is_refused() -> None:
    with pytest.raises(KprlError, match="module-level function"):
        ProcessLearner(CONFIG, SIZES, lambda achieved, desired, info: achieved[:, 0])
    made = ProcessLearner(CONFIG, SIZES, partial(point_reward))
    made.close()

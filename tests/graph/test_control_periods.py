"""Control periods are counted the same for every camera, and no image of a 30 Hz camera is left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kprl.control.limits import CONTROL_PERIOD
from kprl_policy.control_periods import ControlPeriods, too_soon

SECOND = 1_000_000_000
STEPS = 50


def length(rate: float, jitter: float = 0.0, seed: int = 0) -> tuple[float, int]:
    """How long [s] an episode of STEPS control periods is with a camera of `rate` [Hz], and how often it acts."""
    periods, acted_on, actions = ControlPeriods(), -1, 0
    noise = np.random.default_rng(seed)
    for number in range(100_000):
        stamp = SECOND + round((number / rate + noise.uniform(-jitter, jitter)) * SECOND)
        if periods.done >= STEPS and periods.begins(stamp):
            return (stamp - SECOND) / SECOND, actions
        if not too_soon(stamp, acted_on):
            periods.act(stamp)
            acted_on, actions = stamp, actions + 1
    raise AssertionError("the episode does not end")


@pytest.mark.parametrize(("rate", "actions"), [(20.0, 50), (30.0, 75), (60.0, 75), (90.0, 75)])
def test_an_episode_takes_as_long_as_in_training(rate: float, actions: int) -> None:
    seconds, acted = length(rate)
    assert seconds == pytest.approx(STEPS * CONTROL_PERIOD, abs=0.02)
    assert acted == pytest.approx(actions, abs=1)


@given(st.integers(0, 1000), st.sampled_from([20.0, 30.0]))
def test_jitter_of_the_stamps_changes_nothing(seed: int, rate: float) -> None:
    seconds, acted = length(rate, 0.004, seed)
    assert seconds == pytest.approx(STEPS * CONTROL_PERIOD, abs=0.05)
    assert acted == pytest.approx(rate * STEPS * CONTROL_PERIOD, abs=1)


def test_a_slow_camera_makes_an_episode_longer_not_shorter() -> None:
    assert length(15.0) == (pytest.approx(STEPS / 15.0, abs=0.07), STEPS)


def test_a_time_without_images_is_one_period() -> None:
    periods = ControlPeriods()
    for stamp in (SECOND, 3 * SECOND, 3 * SECOND + SECOND // 20):
        periods.act(stamp)
    assert periods.done == 3
    assert not periods.begins(3 * SECOND + SECOND // 16)

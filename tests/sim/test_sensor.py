"""The sensor: what it makes of light, and which frames arrive."""

from __future__ import annotations

import numpy as np
import pytest

from kprl.sim.sensor import FrameStream, Sensor

GREY = np.full((64, 64), 100, np.uint8)
RAMP = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))


def develop(image: np.ndarray, seed: int = 0, **options) -> np.ndarray:
    return Sensor(**options).develop(image, np.random.default_rng(seed))


def test_a_perfect_sensor_changes_nothing():
    assert np.array_equal(develop(RAMP), RAMP)


def test_gain_and_gamma_by_hand():
    assert (develop(GREY, gain=1.5) == 150).all()
    assert (develop(GREY, gain=9.0) == 255).all()
    assert (develop(GREY, gamma=2.0) == round(255 * (100 / 255) ** 2)).all()


def test_the_vignette_darkens_the_corners_only():
    seen = develop(GREY, vignette=0.25)
    assert seen[0, 0] == seen[-1, -1] == 75
    assert seen[31, 31] == 100
    assert seen[0, 32] in (87, 88)


def test_noise_has_its_strength_and_is_new_in_every_frame():
    rng = np.random.default_rng(0)
    sensor = Sensor(noise=0.02)
    first, second = (sensor.develop(GREY, rng).astype(float) for _ in range(2))
    assert abs(first.std() - 0.02 * 255) < 0.3
    assert abs(first.mean() - 100) < 0.5
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 0.1
    assert np.array_equal(develop(GREY, 5, noise=0.02), develop(GREY, 5, noise=0.02))


def test_blur_smooths_an_edge_and_keeps_the_mean():
    edge = np.where(np.arange(64) < 32, 0, 200).astype(np.uint8) * np.ones((64, 1), np.uint8)
    seen = develop(edge, blur=0.7)
    assert 0 < seen[10, 31] < seen[10, 32] < 200
    assert abs(seen.mean() - edge.mean()) < 0.5


@pytest.mark.parametrize(
    ("dropped", "late", "expected"),
    [(0.0, 0.0, [1, 2, 3, 4]), (1.0, 0.0, [0, 0, 0, 0]), (0.0, 1.0, [0, 1, 2, 3])],
)
def test_dropped_frames_repeat_and_late_ones_are_a_period_old(dropped, late, expected):
    frames = [np.full((2, 2), number, np.uint8) for number in range(5)]
    stream = FrameStream(Sensor(dropped_share=dropped, late_share=late), frames[0])
    rng = np.random.default_rng(0)
    assert stream.last is frames[0]
    assert [int(stream.deliver(frame, rng)[0, 0]) for frame in frames[1:]] == expected


def test_the_shares_are_those_asked_for():
    stream, rng = FrameStream(Sensor(dropped_share=0.1, late_share=0.2), np.zeros((1, 1))), np.random.default_rng(0)
    ages = []
    for number in range(1, 4001):
        ages.append(number - int(stream.deliver(np.full((1, 1), number, np.int64), rng)[0, 0]))
    assert abs(np.mean(np.array(ages) == 0) - 0.7) < 0.03
    assert max(ages) < 8

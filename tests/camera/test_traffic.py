"""Rate, latency and drops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kprl_camera.traffic import WINDOW, Traffic


@given(st.sets(st.integers(1, 500), min_size=1))
def test_published_and_dropped_are_all_that_the_device_counted(numbers: set[int]) -> None:
    traffic = Traffic()
    for number in sorted(numbers):
        traffic.publish(number, 0.0, 0.0)
    assert traffic.published == len(numbers)
    assert traffic.published + traffic.dropped == max(numbers) - min(numbers) + 1


@given(st.integers(1, 100))
def test_a_counter_that_begins_anew_drops_nothing(first: int) -> None:
    traffic = Traffic()
    for number in (first + 1, 1, 2):
        traffic.publish(number, 0.0, 0.0)
    assert traffic.dropped == 0
    traffic.restart()
    traffic.publish(1000, 0.0, 0.0)
    assert traffic.dropped == 0


@given(st.floats(2.0, 120.0))
def test_rate_is_that_of_a_steady_camera(rate: float) -> None:
    traffic = Traffic()
    frames = int(5 * rate)
    for number in range(frames):
        traffic.publish(number, 0.01, number / rate)
    assert traffic.rate((frames - 1) / rate) == pytest.approx(rate, rel=1e-6)


def test_a_silent_camera_has_no_rate_and_no_latency() -> None:
    traffic = Traffic()
    assert traffic.rate(0.0) == 0.0 and traffic.latency(0.0) == (0.0, 0.0)
    traffic.publish(1, 0.02, 0.0)
    traffic.publish(2, 0.04, 0.1)
    assert traffic.latency(0.1) == (pytest.approx(0.03), 0.04)
    assert traffic.rate(0.2 + WINDOW) == 0.0 and traffic.latency(0.2 + WINDOW) == (0.0, 0.0)

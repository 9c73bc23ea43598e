"""Rate, latency and drops."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kprl_ros.traffic import PAUSE, USUAL_GAPS, WINDOW, StampCounter, Traffic


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


def test_latencies_that_nobody_knows_are_left_out() -> None:
    traffic = Traffic()
    for number, latency in enumerate((None, 0.02, None)):
        traffic.publish(number, latency, 0.0)
    assert traffic.latency(0.0) == (0.02, 0.02) and traffic.published == 3


@given(st.lists(st.integers(0, 2), min_size=40, max_size=80), st.integers(10, 60), st.randoms(use_true_random=False))
def test_stamps_tell_how_many_are_missing_whatever_the_rate(missing: list[int], rate: int, random: Random) -> None:
    counter, period = StampCounter(), round(1e9 / rate)
    assert 4 * period < PAUSE * 1e9  # else it were a pause
    place, numbers = 0, []
    for skipped in [0] * USUAL_GAPS + [skip if index % 3 == 0 else 0 for index, skip in enumerate(missing)]:
        place += 1 + skipped
        numbers.append(counter.number(place * period + round(random.uniform(-0.05, 0.05) * period)))
    assert numbers[-1] - numbers[0] == place - 1


def test_a_pause_and_a_clock_that_jumps_back_lose_nothing() -> None:
    counter, second = StampCounter(), 10**9
    stamps = [0, second // 20, second // 10, 10 * second, 10 * second + second // 20, 5 * second, 5 * second]
    assert [counter.number(stamp) for stamp in stamps] == list(range(1, len(stamps) + 1))

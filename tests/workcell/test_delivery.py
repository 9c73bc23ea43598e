"""The way of a frame from the sensor to the host."""

from __future__ import annotations

import numpy as np
import pytest

from kprl_fake_hardware.delivery import LATE, LATENCY, Delivery

PERIOD = 1.0 / 30.0


def play(delivery: Delivery, frames: int, dropped: float = 0.0, late: float = 0.0) -> list[tuple[int, float, int]]:
    """Number, time from exposure to arrival [s] and grey of what arrives of `frames` frames."""
    rng, arrived = np.random.default_rng(1), []
    for number in range(frames):
        delivery.expose(np.full((2, 2), number, np.uint8), number * PERIOD, rng, dropped, late)
        for fine in range(10):
            now = (number + fine / 10) * PERIOD
            arrived += [(f.number, now - f.time, int(f.image[0, 0])) for f in delivery.take_due(now)]
    return arrived


def test_frames_come_in_order_one_latency_late():
    arrived = play(Delivery(), 50)
    assert [number for number, _, _ in arrived] == list(range(1, len(arrived) + 1)) and len(arrived) >= 49
    assert all(LATENCY <= age <= LATENCY + PERIOD / 5 for _, age, _ in arrived)
    assert all(grey == number - 1 for number, _, grey in arrived)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_shares_of_frames_are_lost_or_late(share):
    lost = play(Delivery(), 200, dropped=share)
    assert 200 * (1 - share) == pytest.approx(len(lost), abs=25)
    late = play(Delivery(), 200, late=share)
    assert len(late) > 190 and [n for n, _, _ in late] == sorted(n for n, _, _ in late)
    assert sum(age >= LATE for _, age, _ in late) >= 200 * share - 25


def test_faults():
    delivery = Delivery()
    delivery.extra_loss = 1.0
    assert not play(delivery, 20)
    delivery.extra_loss, delivery.extra_latency = 0.0, 0.2
    assert min(age for _, age, _ in play(delivery, 20)) >= 0.2 + LATENCY
    delivery = Delivery()
    delivery.is_frozen = True
    arrived = play(delivery, 20)
    assert {grey for _, _, grey in arrived} == {0} and arrived[-1][0] > 15
    delivery.is_frozen, delivery.is_silent = False, True
    assert len(play(delivery, 20)) <= 1  # what was on its way


def test_frames_that_were_never_taken_are_counted():
    delivery = Delivery()
    play(delivery, 3)
    delivery.skip(5)
    delivery.expose(np.zeros((2, 2), np.uint8), 1.0, np.random.default_rng(0), 0.0, 0.0)
    assert delivery.take_due(2.0)[-1].number == 9

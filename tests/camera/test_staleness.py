"""Silence on a clock that only grows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kprl_camera.staleness import Staleness


@given(st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=30), st.floats(0.1, 2))
def test_stale_means_that_the_last_word_is_older_than_the_timeout(
    events: list[tuple[float, bool]], timeout: float
) -> None:
    now = heard = 100.0
    staleness = Staleness(timeout, lambda: now)
    for pause, speaks in events:
        now += pause
        if speaks:
            staleness.hear()
            heard = now
        assert staleness.is_stale() == (now - heard > timeout)
        assert staleness.age() == now - heard

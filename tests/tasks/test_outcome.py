"""Kinds of ends of an episode."""

from __future__ import annotations

import pytest

from kprl.tasks.outcome import FAILURES, count_failures, outcome


@pytest.mark.parametrize(
    ("is_success", "engaged", "kind"),
    [
        (True, [False, True, True], "success"),
        (False, [False, False, False], "missed"),
        (False, [False, True, False], "dropped"),
        (False, [False, True, True], "off_goal"),
    ],
)
def test_by_hand(is_success, engaged, kind):
    assert outcome(is_success, engaged) == kind


def test_every_failure_is_counted_even_the_absent_ones():
    assert count_failures(["success", "missed", "missed", "dropped"]) == {"missed": 2, "dropped": 1, "off_goal": 0}
    assert set(count_failures([])) == set(FAILURES)

"""Kinds of ends of an episode."""

from __future__ import annotations

import pytest

from kprl.control.limits import WORKSPACE
from kprl.tasks.outcome import FAILURES, count_failures, outcome

INSIDE = tuple(WORKSPACE.centre)


@pytest.mark.parametrize(
    ("is_success", "engaged", "kind"),
    [
        (True, [False, True, True], "success"),
        (False, [False, False, False], "missed"),
        (False, [False, True, False], "dropped"),
        (False, [False, True, True], "timed_out"),
    ],
)
def test_by_hand(is_success, engaged, kind):
    assert outcome(is_success, engaged, INSIDE) == kind
    beyond = WORKSPACE.upper[0] + 0.01, 0.0, 0.02
    assert outcome(is_success, engaged, beyond) == ("success" if is_success else "out_of_workspace")


def test_height_is_no_matter():
    low, high = (0.5, 0.0, 0.0), (0.5, 0.0, 1.0)
    assert outcome(False, [True], low) == outcome(False, [True], high) == "timed_out"


def test_every_failure_is_counted_even_the_absent_ones():
    assert count_failures(["success", "missed", "missed", "dropped"]) == {
        "missed": 2, "dropped": 1, "out_of_workspace": 0, "timed_out": 0
    }  # fmt: skip
    assert set(count_failures([])) == set(FAILURES)

"""The whole real stack on fake hardware: whatever fails before the driver, the arm stands soon, and it is said why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from whole_stack import Stack, open_stack

pytestmark = pytest.mark.graph
# [s] from the fault to a standstill: an image may be on its way for 0.1 s, older ones are not acted on; the driver's
# dead-man takes 0.1 s from the last command on; the rest is for a machine under load.
CAMERA_FAILS = 0.45


@pytest.fixture(scope="module")
def stack(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One for all tests that leave the nodes alive."""
    with open_stack(bundle, tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest.fixture
def moving(stack: Stack) -> Iterator[Stack]:
    """The arm moves, whatever the test before has broken."""
    stack.mend()
    stack.move()
    yield stack


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("freeze", "the camera sends the same image for the"),
        ("go_silent", "no message on"),
        ("unplug", "no message on"),
        ("cover", "image refused"),
        ("delay_frames 0.25", "at most 0.1 s is acted on"),
    ],
)
def test_the_arm_stands_where_the_camera_fails(order: str, expected: str, moving: Stack) -> None:
    began = moving.truth.now()
    moving.order(order)
    seconds = moving.standstill(began)
    print(f"{order}: the arm stands after {seconds:.3f} s")
    moving.graph.wait(lambda: expected in moving.said(), f"'{expected}' to be said")
    assert "dead-man" in moving.said()
    assert seconds < CAMERA_FAILS

"""When an image was taken, in ROS time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kprl_camera.frame_clock import EARLIEST, LATEST, FrameClock
from kprl_ros.stamps import NANOSECONDS

NOW = 1_795_626_463 * NANOSECONDS
TIMES = st.integers(0, 4 * NANOSECONDS).map(lambda offset: NOW + offset)
FRAMES = st.lists(st.tuples(st.none() | TIMES, TIMES), max_size=30)


@given(st.integers(0, LATEST))
def test_a_plausible_sensor_time_is_the_stamp(age: int) -> None:
    stamp = FrameClock().stamp(NOW - age, NOW)
    assert stamp.time == NOW - age and stamp.is_sensor


@given(st.integers(LATEST + 1, 10 * LATEST) | st.integers(-10 * LATEST, -EARLIEST - 1))
def test_a_time_of_another_clock_is_not_believed(age: int) -> None:
    stamp = FrameClock().stamp(NOW - age, NOW)
    assert stamp.time == NOW and not stamp.is_sensor


@given(st.integers(1, EARLIEST))
def test_no_image_is_from_the_future(lead: int) -> None:
    assert FrameClock().stamp(NOW + lead, NOW).time == NOW


def test_without_a_mapped_clock_the_arrival_is_the_stamp() -> None:
    stamp = FrameClock().stamp(None, NOW)
    assert stamp.time == NOW and not stamp.is_sensor


@given(FRAMES)
def test_stamps_grow_unless_a_clock_was_set_back(frames: list[tuple[int | None, int]]) -> None:
    clock = FrameClock()
    times = [clock.stamp(sensor_time, arrival).time for sensor_time, arrival in frames]
    for before, after in zip(times, times[1:], strict=False):
        assert after > before or before - after > LATEST


@given(FRAMES)
def test_a_stamp_is_never_far_from_the_arrival(frames: list[tuple[int | None, int]]) -> None:
    clock = FrameClock()
    for sensor_time, arrival in frames:
        assert abs(clock.stamp(sensor_time, arrival).time - arrival) <= LATEST + len(frames)

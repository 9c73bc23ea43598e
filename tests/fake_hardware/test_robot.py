"""The controller's state machine without sockets: it is deterministic, so everything is exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kprl_fake_hardware.arm import Arm, to_matrix, to_vector
from kprl_fake_hardware.control_program import DONE, READY
from kprl_fake_hardware.controller import CB3, E_SERIES
from kprl_fake_hardware.modes import RobotMode, RuntimeState, SafetyMode
from kprl_fake_hardware.motion import HeldSpeed, Speed, Trapezoid
from kprl_fake_hardware.robot import Robot
from kprl_fake_hardware.script import split_scripts

SCRIPT = (
    "def rtde_control():\n  # int register offset\n{offset}\n  def process_cmd(cmd):\n"
    "  # RTDE Control script - Main loop\nend\n"
)
SPEED_L, SPEED_STOP, SET_WATCHDOG, STOP_SCRIPT = 10, 15, 35, 255


def running(version=CB3, offset: int = 0) -> Robot:
    robot = Robot(version)
    robot.upload(SCRIPT.format(offset=offset))
    while robot.runtime != RuntimeState.PLAYING:
        robot.tick()
    return robot


def command(robot: Robot, number: int, *arguments: float, offset: int = 0) -> None:
    for index, value in enumerate(arguments):
        robot.write_input(f"input_double_register_{offset + index}", value)
    robot.write_input(f"input_int_register_{offset}", number)


def speed_l(robot: Robot, twist, acceleration: float = 0.5, time: float = 0.0, offset: int = 0) -> None:
    command(robot, SPEED_L, *twist, acceleration, time, offset=offset)


def ticks(robot: Robot, count: int) -> None:
    for _ in range(count):
        robot.tick()


@pytest.mark.parametrize("version", [CB3, E_SERIES])
@pytest.mark.parametrize("offset", [0, 24])
def test_speed_l_goes_on_when_the_command_is_gone(version, offset):
    robot = running(version, offset)
    speed_l(robot, [0, 0, -0.1, 0, 0, 0], offset=offset)
    robot.tick()
    command(robot, 0, offset=offset)  # what ur_rtde's kickWatchdog sends
    ticks(robot, round(0.4 / robot.period))
    before = robot.arm.tool_pose()
    ticks(robot, round(0.4 / robot.period))
    np.testing.assert_allclose(robot.arm.tool_pose()[:3] - before[:3], [0, 0, -0.04], atol=2e-4)


def test_speed_stop_is_answered_when_the_arm_stands():
    robot = running()
    speed_l(robot, [0, 0, -0.1, 0, 0, 0])
    ticks(robot, 50)
    command(robot, SPEED_STOP, 1.0)
    answered = []
    for _ in range(30):
        robot.tick()
        answered.append((robot.registers.ints_out[0], robot.arm.at_rest))
    # 0.1 m/s at 1 m/s^2 is 0.1 s, 12.5 ticks; DONE comes with the tick after.
    assert 12 <= [state for state, _ in answered].index(DONE) <= 15
    assert all(rest for state, rest in answered if state == DONE)
    command(robot, 0)
    robot.tick()
    assert robot.registers.ints_out[0] == READY


@given(st.sampled_from([CB3, E_SERIES]), st.floats(2.0, 60.0))
def test_watchdog_ends_the_program_within_its_period_and_one_tick(version, hertz):
    robot = running(version)
    command(robot, SET_WATCHDOG, hertz)
    robot.tick()
    speed_l(robot, [0, 0, -0.02, 0, 0, 0])
    written = robot.time
    while robot.runtime == RuntimeState.PLAYING:
        robot.tick()
    assert 1.0 / hertz - 1e-9 <= robot.time - written <= 1.0 / hertz + robot.period + 1e-9
    ticks(robot, 3)
    assert robot.arm.at_rest


def test_a_watchdog_of_no_frequency_trips_at_once():
    robot = running()
    command(robot, SET_WATCHDOG, 0.0)
    ticks(robot, 2)
    assert robot.runtime == RuntimeState.STOPPED


def test_the_same_commands_give_the_same_states():
    def journey() -> list:
        robot = running(E_SERIES)
        states = []
        for step in range(200):
            if step % 40 == 0:
                speed_l(robot, [0.01 * step / 40, 0.02, -0.03, 0.1, 0, 0], time=0.05)
            robot.tick()
            states.append(robot.state())
        return states

    assert journey() == journey()


def test_a_call_with_a_time_holds_up_the_next_speed():
    arm, motion = Arm(), HeldSpeed(Speed((0.1,) + (0.0,) * 5, 10.0, time=0.1, of_tool=False))
    rates = []
    for step in range(20):
        if step == 1:
            motion.wanted = Speed((-0.1,) + (0.0,) * 5, 100.0, time=0.1, of_tool=False)
        rates.append(motion.step(arm, 0.01)[0])
    np.testing.assert_allclose(rates, [0.1] * 10 + [-0.1] * 10)


def test_a_protective_stop_pauses_and_play_goes_on_from_rest():
    robot = running()
    speed_l(robot, [0, 0, -0.1, 0, 0, 0])
    ticks(robot, 50)
    robot.protective_stop("test")
    ticks(robot, 5)
    assert (robot.safety, robot.runtime, robot.arm.at_rest) == (SafetyMode.PROTECTIVE_STOP, RuntimeState.PAUSED, True)
    assert not robot.play() and not robot.unlock_protective_stop()
    ticks(robot, round(5.0 / robot.period))
    assert robot.unlock_protective_stop() and robot.play()
    robot.tick()
    assert 0.0 < np.linalg.norm(robot.state()["actual_TCP_speed"][:3]) < 0.01


@pytest.mark.parametrize(
    ("twist", "reason"),
    [((0.0, 0.0, 3.0, 0.0, 0.0, 0.0), "rad/s|singular"), ((-1.0, 0.0, 0.0, 0.0, 0.0, 0.0), "rad/s|singular")],
)
def test_what_no_arm_can_do_is_a_protective_stop(twist, reason):
    robot = running()
    speed_l(robot, twist, acceleration=5.0)
    ticks(robot, 300)
    assert robot.safety == SafetyMode.PROTECTIVE_STOP
    assert any(word in robot.last_error for word in reason.split("|"))


@pytest.mark.parametrize("number", [1, 2, 3, 10])
def test_a_number_that_is_none_ends_the_program(number):
    robot = running()
    command(robot, number, *[float("nan")] * 8)
    ticks(robot, 2)
    assert robot.runtime == RuntimeState.STOPPED and "finite" in robot.last_error and robot.arm.at_rest


def test_an_unknown_command_is_named():
    robot = running()
    command(robot, 66)
    ticks(robot, 2)
    assert robot.runtime == RuntimeState.STOPPED and "no command 66" in robot.last_error


def test_power_comes_back_in_steps():
    robot = Robot()
    robot.emergency_stop()
    robot.release_brakes()
    assert robot.mode == RobotMode.POWER_OFF  # the button is still pressed
    robot.release_emergency_stop()
    robot.release_brakes()
    seen = []
    while robot.mode != RobotMode.RUNNING:
        robot.tick()
        seen.append(robot.mode)
    assert list(dict.fromkeys(seen)) == [RobotMode.POWER_OFF, RobotMode.POWER_ON, RobotMode.IDLE, RobotMode.RUNNING]


def test_foreign_and_unwanted_programs_are_ignored():
    robot = Robot(E_SERIES)
    robot.upload("def hello():\n  popup(1)\nend\n")
    assert "hello" in robot.last_error
    robot.set_remote_control(False)
    robot.upload(SCRIPT.format(offset=0))
    assert "local control" in robot.last_error
    ticks(robot, 100)
    assert robot.runtime == RuntimeState.STOPPED


@given(st.integers(0, 400))
def test_scripts_are_found_however_the_stream_is_cut(cut):
    stream = SCRIPT.format(offset=0) + SCRIPT.format(offset=24)
    first, rest = split_scripts(stream[:cut])
    second, left = split_scripts(rest + stream[cut:])
    assert first + second == [SCRIPT.format(offset=0), SCRIPT.format(offset=24)] and left == ""


@given(st.floats(0.0, 3.0), st.floats(0.01, 3.0), st.floats(0.05, 20.0), st.floats(0.0, 1.0))
def test_a_trapezoid_keeps_its_speed_and_arrives(distance, speed, acceleration, at):
    profile, step = Trapezoid(distance, speed, acceleration), 1e-4
    now = at * profile.duration
    moved = (profile.share(now + step) - profile.share(now)) * distance
    assert -1e-9 <= moved <= speed * step * (1.0 + 1e-6) + 1e-9
    assert profile.share(profile.duration) == 1.0


@given(st.lists(st.floats(-1.8, 1.8), min_size=6, max_size=6))
def test_poses_round_trip(pose):
    np.testing.assert_allclose(to_matrix(to_vector(to_matrix(np.array(pose)))), to_matrix(np.array(pose)), atol=1e-9)


def test_inverse_finds_the_tool_with_a_tcp():
    arm = Arm()
    arm.set_tcp(np.array([0.01, -0.02, 0.16, 0.1, 0.2, 0.3]))
    goal = arm.tool_pose() + [0.05, -0.1, 0.03, 0.0, 0.0, 0.0]
    joints = arm.inverse(goal)
    np.testing.assert_allclose(to_matrix(arm.tool_pose(joints)), to_matrix(goal), atol=1e-4)
    step = 1e-6 * np.arange(1, 7)
    moved = (arm.tool_pose(arm.joints + step) - arm.tool_pose())[:3]
    np.testing.assert_allclose(arm.pose_and_jacobian()[1][:3] @ step, moved, atol=1e-9)

"""Faults of robot, network, processes and gripper while the whole driver runs: standstill, words, the way back."""

from __future__ import annotations

import re
import signal

import numpy as np
import pytest
from kprl_interfaces.msg import RobotStatus
from machines import FAST, STANDSTILL, WATCHDOG_STANDSTILL
from rig import Rig, clear, kill, open_rig

from kprl_fake_hardware.modes import RuntimeState
from kprl_ros import topics

pytestmark = [pytest.mark.graph, pytest.mark.timeout(120)]
NOTICED = 0.1  # [s] in which the robot's own stop is over, or the driver has stopped the arm
GRIPPER_NOTICED = 0.4 + 0.2  # [s] an exchange's time-out, and what it takes to hear of it
SIDE = np.array([0.0, 0.1, 0.0])  # [m/s]


def stood(rig: Rig, since: float, limit: float = WATCHDOG_STANDSTILL) -> float:
    """How long [s] after `since` the arm moved; commands go on until well after the limit."""
    rig.wait(lambda: rig.truth.now() > since + limit + 0.3, "time passes")
    assert not rig.truth.is_moving()
    return max(0.0, rig.truth.moved_at - since)


def comes_back(rig: Rig) -> None:
    """Not by itself, though commands go on and the cause is gone; with /driver/recover."""
    rig.truth.allow(0.0)
    rig.velocity = SIDE
    clear(rig.controller, rig.gripper)
    rig.spin(0.4)
    assert rig.truth.forbidden == [] and rig.mode == RobotStatus.MODE_FAULT
    rig.truth.allow(1e9)
    rig.mend()
    rig.drive(SIDE, 0.1)
    rig.velocity = None


@pytest.mark.parametrize(
    ("fault", "limit", "words"),
    [
        ("protective_stop", NOTICED, "unlock it on the pendant"),
        ("emergency_stop", NOTICED, "release the button"),
        ("safeguard_stop", NOTICED, "reset the safeguard"),
        ("stop_program", NOTICED, "the control program on the controller ended"),
        ("drop_connections", WATCHDOG_STANDSTILL, "the connection to the controller broke"),
        ("refuse", WATCHDOG_STANDSTILL, "the connection to the controller broke"),
        ("go_silent", WATCHDOG_STANDSTILL, "the controller has been silent for 0.2 s"),
    ],
)
def test_a_fault_of_the_robot_or_the_network(ready, fault, limit, words, record_property):
    ready.drive(FAST, 0.3)
    since = ready.truth.now()
    getattr(ready.controller.faults, fault)()
    took = stood(ready, since)
    record_property("standstill", took)
    assert took <= limit
    reason = ready.reason(RobotStatus.MODE_FAULT)
    assert words in reason and "\n" not in reason
    comes_back(ready)


@pytest.mark.parametrize("fault", ["protective_stop", "emergency_stop", "go_silent"])
def test_recover_clears_nothing_by_itself_and_says_what_a_person_must_do(ready, fault):
    getattr(ready.controller.faults, fault)()
    reason = ready.reason(RobotStatus.MODE_FAULT)
    mode = ready.controller.robot.safety
    answer = ready.ask(topics.DRIVER_RECOVER)
    assert not answer.success and answer.message
    assert ready.controller.robot.safety == mode and ready.reason(RobotStatus.MODE_FAULT)
    assert not ready.ask(topics.RESET_EPISODE).success
    assert reason


def test_registers_that_a_fieldbus_has_taken_meanwhile(ready):
    ready.controller.faults.registers_in_use()
    ready.controller.faults.stop_program()
    ready.reason(RobotStatus.MODE_FAULT)
    answer = ready.ask(topics.DRIVER_RECOVER)
    assert not answer.success and "registers are in use" in answer.message


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_the_arm_process_dies_or_hangs_in_motion(ready, number):
    ready.drive(FAST, 0.3)
    pid = ready.arm_pid
    since = ready.truth.now()
    kill(pid, number)
    assert stood(ready, since) <= WATCHDOG_STANDSTILL
    reason = ready.reason(RobotStatus.MODE_FAULT)
    assert ("no sign of life" if number == signal.SIGSTOP else number.name) in reason
    ready.wait(lambda: ready.counts().get("arm process") != pid, "it is gone")
    comes_back(ready)
    assert ready.arm_pid != pid


def test_the_arm_process_dies_while_it_goes_home(ready):
    ready.drive(np.array([0.1, 0.1, 0.0]), 0.8)
    ready.velocity = None
    answer = ready.begin(topics.RESET_EPISODE)
    ready.wait(lambda: ready.status.reason == "going home" and ready.truth.is_moving(), "it is on its way")
    since = ready.truth.now()
    kill(ready.arm_pid)
    assert stood(ready, since) <= WATCHDOG_STANDSTILL
    ready.wait(answer.done, "the reset is answered")
    assert not answer.result().success and "SIGKILL" in answer.result().message
    comes_back(ready)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("lose_activation", "the gripper is not activated; activation moves the fingers"),
        ("fail", "fault 14: overcurrent"),
        ("cut_power", "no power"),
        ("go_silent", r"63352 \(gripper\) said nothing"),
        ("refuse", r"63352 \(gripper\)"),
        ("drop_connections", r"63352 \(gripper\) broke the connection"),
    ],
)
def test_the_arm_stands_without_a_gripper(ready, fault, words):
    ready.drive(SIDE, 0.2)
    since = ready.truth.now()
    getattr(ready.gripper.faults, fault)()
    assert stood(ready, since, GRIPPER_NOTICED) <= GRIPPER_NOTICED
    assert re.search(words, ready.reason(RobotStatus.MODE_FAULT))
    assert ready.controller.robot.runtime == RuntimeState.PLAYING  # the arm itself is well
    comes_back(ready)
    assert ready.gripper.gripper.status.name == "ACTIVE"


def test_a_gripper_that_cannot_be_activated_is_said_by_recover(ready):
    ready.gripper.faults.fail_activation()
    ready.gripper.faults.lose_activation()
    ready.reason(RobotStatus.MODE_FAULT)
    answer = ready.ask(topics.DRIVER_RECOVER)
    assert not answer.success and "activation failed" in answer.message


def test_stop_during_a_recovery_wins(ready):
    ready.controller.faults.stop_program()
    ready.reason(RobotStatus.MODE_FAULT)
    answer = ready.begin(topics.DRIVER_RECOVER)
    ready.wait(lambda: ready.status.reason == "recovering", "it recovers")
    ready.ask(topics.DRIVER_STOP)
    ready.wait(answer.done, "the recovery is answered")
    assert not answer.result().success
    ready.truth.allow(0.0)
    ready.velocity = SIDE
    ready.spin(1.5)
    ready.velocity = None
    assert ready.truth.forbidden == []
    ready.truth.allow(1e9)


def test_the_node_hangs_in_motion_and_wakes_up(ready):
    """Commands that came meanwhile are stale when it reads them."""
    ready.drive(FAST, 0.3)
    since = ready.truth.now()
    with ready.process.frozen():
        assert stood(ready, since) <= STANDSTILL + 0.02
    ready.spin(0.3)
    assert ready.truth.is_moving()  # the new ones are followed: the node was asleep, not the robot
    ready.velocity = None


def test_the_node_is_killed_in_motion(tmp_path):
    with open_rig(tmp_path) as rig:
        rig.home()
        rig.drive(FAST, 0.3)
        since = rig.truth.now()
        kill(rig.process.popen.pid)
        assert stood(rig, since) <= STANDSTILL
        rig.velocity = None
        rig.wait(lambda: rig.controller.servers["rtde"].clients == 0, "the arm process has ended too")
        rig.start()  # a new one takes over at once
        rig.drive(SIDE, 0.2)
        since = rig.truth.now()
        status, seconds = rig.process.stop()  # Ctrl-C in motion
        assert status == 0 and seconds < 2.0
        assert stood(rig, since) <= 0.5
        assert rig.controller.robot.runtime == RuntimeState.STOPPED

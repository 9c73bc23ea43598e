"""The arm process with the real ur_rtde against the fake controller: how soon the arm stands, and what is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from machines import DOWN, FAST, HOME, STANDSTILL, WATCHDOG_STANDSTILL, Arm, Truth

from kprl_driver.arm_link import HEARTBEAT_TIMEOUT, ArmLink
from kprl_driver.wire import GoHome, Halt, Release, Twist
from kprl_fake_hardware.controller import E_SERIES, UrController
from kprl_fake_hardware.modes import RuntimeState

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def truth(controller: UrController, arm: Arm) -> Truth:
    """Of the arm that is ready."""
    return Truth(controller)


def test_a_velocity_is_followed_as_it_is_sent_and_reported(arm, truth):
    arm.follow(DOWN, 0.5, truth)
    assert arm.report.sent == pytest.approx(DOWN.tolist())
    (before, since), _ = truth.position(), arm.follow(DOWN, 0.5, truth)
    after, until = truth.position()
    assert (after - before) / (until - since) == pytest.approx(DOWN, abs=1e-4)
    arm.wait(lambda: np.allclose(arm.report.position, truth.position()[0], atol=1e-6), "the report is true")


@pytest.mark.parametrize("linear", [FAST, DOWN], ids=["fast", "slow"])
def test_without_a_new_command_the_arm_stands_within_the_dead_mans_time(arm, truth, linear, record_property):
    for _ in range(3):
        arm.go_home()
        last = arm.follow(linear, 0.4, truth)
        assert truth.is_moving()
        took = truth.standstill(last)
        record_property("standstill", took)
        assert 0.03 < took <= STANDSTILL
    arm.wait(lambda: "dead-man" in arm.report.reason, "it says why")


def test_the_end_of_the_parent_stops_the_arm(controller, address):
    """SIGKILL: the process hears that nobody is there any more."""
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(f"""
                import sys, time
                sys.path.insert(0, {str(os.path.dirname(__file__))!r})
                from machines import *
                arm = Arm({address!r})
                arm.until_ready()
                arm.go_home()
                while True:
                    arm.link.send(Twist([0.0, 0.1, 0.0], time.monotonic()))
                    arm.link.step()
                    print("sent", arm.link.pid, flush=True)
                    time.sleep(0.02)
            """),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    for _ in range(10):
        child = int(parent.stdout.readline().split()[1])
    truth = Truth(controller)
    assert truth.is_moving()
    since = truth.now()
    parent.kill()
    parent.wait(5.0)
    assert 0.0 < truth.standstill(since) <= STANDSTILL
    deadline = time.monotonic() + 5.0
    while os.path.exists(f"/proc/{child}/fd/0"):
        assert time.monotonic() < deadline, "the arm process outlives the node"
        time.sleep(0.02)
    assert controller.robot.runtime == RuntimeState.STOPPED


def test_a_short_silence_is_followed_by_nothing_old(controller, arm, truth):
    """Too short for the controller's watchdog: what waits in the network's buffers is at most that old."""
    last = arm.follow(FAST, 0.3, truth)
    controller.faults.go_silent()
    time.sleep(0.1)
    controller.faults.restore_network()
    assert truth.standstill(last) <= WATCHDOG_STANDSTILL


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("protective_stop", "protective stop"),
        ("safeguard_stop", "safeguard stop"),
    ],
)
def test_the_robot_stops_and_nothing_goes_on_by_itself(controller, arm, truth, fault, words):
    arm.follow(FAST, 0.3, truth)
    since = truth.now()
    getattr(controller.faults, fault)()
    assert truth.standstill(since) <= STANDSTILL
    arm.wait(lambda: arm.report.fault, "it says so")
    assert words in arm.report.fault and "/driver/recover" in arm.report.fault
    truth.allow(0.0)
    controller.faults.clear_safeguard_stop()
    controller.faults.release_emergency_stop()
    arm.follow(FAST, 0.5, truth)
    with controller.lock:
        controller.robot.time += 10.0
        controller.robot.unlock_protective_stop()
        controller.robot.play()  # somebody presses play on the pendant
    arm.follow(FAST, 0.5, truth)
    assert truth.forbidden == [] and arm.report.joints == pytest.approx(truth.joints().tolist())


def test_local_control_in_motion_is_named(address, make_arm):
    with UrController(address, version=E_SERIES) as controller:
        arm = make_arm()
        arm.until_ready()
        arm.go_home()
        truth = Truth(controller)
        last = arm.follow(FAST, 0.3, truth)
        assert truth.is_moving()
        assert 0.0 < truth.standstill(last) <= STANDSTILL  # the dead-man, at 500 Hz
        arm.follow(FAST, 0.3, truth)
        since = truth.now()
        controller.faults.local_control()
        assert truth.standstill(since) <= STANDSTILL
        arm.wait(lambda: "local control" in arm.report.fault, "it says so")


def test_halt_is_obeyed_at_once_and_release_takes_new_commands_only(arm, truth):
    arm.follow(FAST, 0.3, truth)
    since = truth.now()
    arm.link.send(Halt("because"))
    assert 0.0 < truth.standstill(since) <= 0.07
    truth.allow(0.0)
    old = time.monotonic()
    arm.follow(FAST, 0.2, truth)
    arm.link.send(Release())
    time.sleep(0.05)
    arm.link.send(Twist(FAST.tolist(), old))
    time.sleep(0.2)
    assert truth.forbidden == []
    truth.allow(1.0)
    arm.follow(FAST, 0.2, truth)
    assert truth.is_moving()


def test_the_way_home_is_interrupted_by_halt(controller, arm, truth):
    arm.follow(FAST, 0.5, truth)
    truth.standstill(truth.now())
    arm.link.send(GoHome(HOME.tolist(), 77))
    arm.wait(truth.is_moving, "it goes")
    since = truth.now()
    arm.link.send(Halt("a person"))
    assert truth.standstill(since) <= STANDSTILL
    assert arm.report.home_number == 77 and arm.report.home_failure == "a person"
    assert controller.robot.runtime == RuntimeState.PLAYING


def test_the_watchdog_is_fed_while_nothing_is_asked_for(controller, arm):
    time.sleep(1.5)
    assert arm.report.fault == "" and controller.robot.runtime == RuntimeState.PLAYING


def test_an_end_in_good_order_is_quick(controller, arm, truth):
    arm.follow(FAST, 0.3, truth)
    since, began = truth.now(), time.monotonic()
    arm.link.close()
    assert time.monotonic() - began < 0.5
    assert truth.standstill(since) <= STANDSTILL and controller.robot.runtime == RuntimeState.STOPPED


def test_a_second_arm_process_is_refused_in_words_and_does_not_disturb_the_first(arm, truth, make_arm):
    second = make_arm()
    assert "registers are in use" in second.until_failed()
    arm.follow(FAST, 0.3, truth)
    assert truth.is_moving()


def test_registers_of_a_fieldbus_are_refused_in_words_and_the_upper_ones_serve(controller, make_arm):
    controller.faults.registers_in_use()
    assert "set upper_registers:=true" in make_arm().until_failed()
    arm = make_arm(upper_registers=True)
    arm.until_ready()
    arm.go_home()
    truth = Truth(controller)
    arm.follow(FAST, 0.3, truth)
    since = truth.now()
    os.kill(arm.link.pid, signal.SIGKILL)
    assert 0.0 < truth.standstill(since) <= WATCHDOG_STANDSTILL


def test_the_process_can_open_nothing_any_more(arm):
    """Or ur_rtde would connect again behind our back."""
    limits = open(f"/proc/{arm.link.pid}/limits").read()
    assert [line.split()[3:5] for line in limits.splitlines() if line.startswith("Max open files")] == [["3", "3"]]


def test_a_parent_that_slept_does_not_take_its_own_sleep_for_the_processs(arm):
    time.sleep(3 * HEARTBEAT_TIMEOUT)  # nothing is read meanwhile
    arm.link.step()
    assert not arm.link.failure
    arm.wait(lambda: time.monotonic() - arm.report.at < 0.1, "it hears the newest")


def test_the_node_imports_no_ur_rtde():
    code = "import sys, kprl_driver.driver_node; print([name for name in sys.modules if 'rtde' in name])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True, timeout=30).strip() == "[]"


def test_a_link_names_what_never_began(address, monkeypatch):
    monkeypatch.setattr("kprl_driver.arm_link.START_TIMEOUT", 0.5)
    arm = Arm(address)
    try:
        os.kill(arm.link.pid, signal.SIGSTOP)
        assert "no arm after" in arm.until_failed()
    finally:
        arm.link.close()
    assert isinstance(arm.link, ArmLink)

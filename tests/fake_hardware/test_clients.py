"""The real ur_rtde clients against the fake controller."""

from __future__ import annotations

import time

import numpy as np
import pytest
from ur_rtde_process import UrRtde, UrRtdeError
from waiting import wait_until

from kprl_fake_hardware.controller import CB3, E_SERIES, UrController
from kprl_fake_hardware.modes import RuntimeState
from kprl_fake_hardware.robot import UNLOCK_DELAY

pytestmark = pytest.mark.timeout(60)
DOWN = [0.0, 0.0, -0.05, 0.0, 0.0, 0.0]
LIVE = 3.0  # [s] in which everything is connected, on a busy machine


def moving(controller) -> bool:
    return not controller.robot.arm.at_rest


@pytest.mark.parametrize(("version", "frequency"), [(CB3, 125), (E_SERIES, 500)])
def test_clients_connect_within_seconds_at_the_controllers_rate(make_controller, make_client, version, frequency):
    controller = make_controller(version)
    client = make_client()
    client.open("dashboard")  # the process is up
    began = time.monotonic()
    client.open("control")
    client.open("receive")
    assert time.monotonic() - began < LIVE
    assert client.control("isProgramRunning")
    assert controller.robot.frequency == frequency
    np.testing.assert_allclose(client.receive("getActualQ"), controller.robot.arm.joints)
    assert (client.receive("getSafetyMode"), client.receive("getRobotMode")) == (1, 7)


@pytest.mark.parametrize("version", [CB3, E_SERIES])
def test_speed_l_moves_at_the_commanded_velocity_and_persists_until_speed_stop(make_controller, make_client, version):
    make_controller(version)
    client = make_client("control", "receive")
    assert client.control("speedL", DOWN, 0.5, 0.1)
    time.sleep(0.4)
    before, since = client.receive("getActualTCPPose"), client.receive("getTimestamp")
    time.sleep(0.5)  # nothing is sent meanwhile
    after, until = client.receive("getActualTCPPose"), client.receive("getTimestamp")
    # Pose and time are two calls: the state may have moved on by a few periods in between.
    assert (after[2] - before[2]) / (until - since) == pytest.approx(-0.05, rel=0.1)
    np.testing.assert_allclose(client.receive("getActualTCPSpeed"), DOWN, atol=5e-4)
    assert client.control("speedStop")
    wait_until(lambda: client.receive("getActualTCPSpeed") == [0.0] * 6, "the tool stands")
    stands = client.receive("getActualTCPPose")
    time.sleep(0.1)
    assert client.receive("getActualTCPPose") == stands


def test_a_new_speed_replaces_the_one_before(client):
    client.control("speedL", DOWN, 0.5, 0.05)
    time.sleep(0.3)
    client.control("speedL", [0.02, 0.0, 0.0, 0.0, 0.0, 0.0], 0.5, 0.05)
    wait_until(lambda: abs(client.receive("getActualTCPSpeed")[0] - 0.02) < 5e-4, "the new speed")


@pytest.mark.parametrize("hertz", [5.0, 10.0, 25.0])
def test_watchdog_stops_the_arm_of_a_killed_client(controller, client, hertz):
    client.control("setWatchdog", hertz)
    for _ in range(5):
        client.control("speedL", DOWN, 0.5, 0.02)
        time.sleep(0.3 / hertz)
    wait_until(lambda: moving(controller), "the arm moves")
    client.kill()
    with controller.lock:
        killed = controller.robot.time
        assert moving(controller)
    wait_until(lambda: controller.robot.runtime == RuntimeState.STOPPED, "the watchdog trips")
    wait_until(lambda: not moving(controller), "the arm stands", 0.5)
    period = controller.robot.period
    assert "watchdog" in controller.robot.last_error
    assert controller.robot.last_error_at - killed <= 1.0 / hertz + period + 1e-9


def test_without_a_watchdog_a_killed_client_leaves_the_arm_moving(controller, client):
    client.control("speedL", DOWN, 0.5, 0.02)
    client.kill()
    time.sleep(0.5)
    assert moving(controller) and controller.robot.runtime == RuntimeState.PLAYING


def test_a_new_client_takes_over_where_one_was_killed(controller, client, make_client):
    client.control("speedL", DOWN, 0.5, 0.02)
    client.kill()
    successor = make_client("control")
    wait_until(lambda: not moving(controller), "its script begins at rest")
    assert successor.control("speedL", DOWN, 0.5, 0.02)
    wait_until(lambda: moving(controller), "the arm moves")


def test_two_controllers_run_side_by_side(controller, client, address):
    other = address.rpartition(".")[0] + ".254"
    with UrController(other, version=E_SERIES) as second:
        peer = UrRtde(other)
        try:
            peer.open("control")
            assert peer.control("speedL", DOWN, 0.5, 0.02)
            wait_until(lambda: moving(second), "the second arm moves")
            assert not moving(controller) and client.control("isProgramRunning")
        finally:
            peer.kill()


def test_speed_j_and_servo_j_move_joints(controller, client):
    assert client.control("speedJ", [0.2, 0.0, 0.0, 0.0, 0.0, 0.0], 2.0, 0.02)
    wait_until(lambda: abs(client.receive("getActualQd")[0] - 0.2) < 1e-6, "the joint turns")
    assert client.control("speedStop", 2.0)
    assert not moving(controller)
    goal = client.receive("getActualQ")
    goal[5] += 0.1
    assert client.control("servoJ", goal, 0.0, 0.0, 0.008, 0.1, 300.0)
    wait_until(lambda: abs(client.receive("getActualQ")[5] - goal[5]) < 1e-3, "the joint follows")
    assert client.control("servoStop")


def test_a_watchdog_that_is_fed_does_not_trip(controller, client):
    client.control("setWatchdog", 5.0)
    for _ in range(30):
        client.control("kickWatchdog")
        time.sleep(0.02)
    assert client.control("isProgramRunning")


def test_move_j_and_move_l_arrive(client):
    joints = client.receive("getActualQ")
    joints[0] += 0.4
    assert client.control("moveJ", joints, 1.0, 3.0)
    np.testing.assert_allclose(client.receive("getActualQ"), joints, atol=1e-6)
    pose = client.receive("getActualTCPPose")
    pose[0] -= 0.03
    pose[2] -= 0.05
    assert client.control("isPoseWithinSafetyLimits", pose)
    assert client.control("moveL", pose, 0.2, 1.0)
    np.testing.assert_allclose(client.receive("getActualTCPPose"), pose, atol=1e-5)
    pose[0] = 3.0
    assert not client.control("isPoseWithinSafetyLimits", pose)


def test_asynchronous_move_is_stopped_by_stop_j(controller, client):
    joints = client.receive("getActualQ")
    joints[0] += 2.0
    assert client.control("moveJ", joints, 0.5, 1.0, True)
    wait_until(lambda: client.control("getAsyncOperationProgress") >= 0 and moving(controller), "it moves")
    client.control("stopJ", 4.0)
    assert not moving(controller) and client.control("getAsyncOperationProgress") < 0
    assert client.control("isProgramRunning")


def test_a_second_motion_beside_speed_l_ends_the_program(controller, client):
    """As on the robot: "Another thread is already controlling the robot"."""
    client.control("speedL", DOWN, 0.5, 0.02)
    assert not client.control("moveJ", client.receive("getActualQ"), 1.0, 1.0)
    assert "Another thread" in controller.robot.last_error
    wait_until(lambda: not moving(controller), "the arm stands")


def test_stop_script_and_reupload(controller, client):
    client.control("speedL", DOWN, 0.5, 0.02)
    client.control("stopScript")
    wait_until(lambda: not moving(controller), "the arm stands")
    wait_until(lambda: not client.control("isProgramRunning"), "the script ends")
    assert not client.control("speedL", DOWN, 0.5, 0.02)
    assert client.control("reuploadScript")
    wait_until(lambda: client.control("isProgramRunning"), "the script runs again")
    assert client.control("speedL", DOWN, 0.5, 0.02)
    wait_until(lambda: moving(controller), "the arm moves")


def test_protective_stop_stops_the_arm_and_needs_a_person_and_five_seconds(controller, client):
    client.open("dashboard")
    client.control("speedL", DOWN, 0.5, 0.02)
    wait_until(lambda: moving(controller), "the arm moves")
    controller.faults.protective_stop()
    wait_until(lambda: not moving(controller), "the arm stands", 0.5)
    wait_until(lambda: client.receive("isProtectiveStopped"), "the client sees it")
    assert client.receive("getSafetyMode") == 3
    assert not client.control("speedL", DOWN, 0.5, 0.02)
    with pytest.raises(UrRtdeError, match="5s"):
        client.dashboard("unlockProtectiveStop")
    with controller.lock:
        controller.robot.time += UNLOCK_DELAY
    client.dashboard("unlockProtectiveStop")
    wait_until(lambda: not client.receive("isProtectiveStopped"), "it is unlocked")
    assert not client.control("isProgramRunning")  # paused: nothing moves by itself
    assert not moving(controller)


def test_emergency_stop_takes_the_power_until_it_is_given_back(controller, client):
    client.open("dashboard")
    controller.faults.emergency_stop()
    wait_until(lambda: client.receive("isEmergencyStopped"), "the client sees it")
    assert client.dashboard("robotmode") == "Robotmode: POWER_OFF"
    controller.faults.release_emergency_stop()
    client.dashboard("powerOn")
    client.dashboard("brakeRelease")
    wait_until(lambda: client.dashboard("robotmode") == "Robotmode: RUNNING", "the brakes are released")
    assert client.control("reuploadScript")
    wait_until(lambda: client.control("isProgramRunning"), "the script runs")


def test_safeguard_stop_pauses_and_goes_on(controller, client):
    client.control("speedL", DOWN, 0.5, 0.02)
    wait_until(lambda: moving(controller), "the arm moves")
    controller.faults.safeguard_stop()
    wait_until(lambda: not moving(controller), "the arm stands", 0.5)
    wait_until(lambda: client.receive("getSafetyMode") == 5, "the client sees it")
    controller.faults.clear_safeguard_stop()
    wait_until(lambda: moving(controller), "the arm goes on", 0.5)


def test_a_program_that_is_stopped_on_the_pendant(controller, client):
    client.control("speedL", DOWN, 0.5, 0.02)
    controller.faults.stop_program()
    wait_until(lambda: not client.control("isProgramRunning"), "the client sees it")
    wait_until(lambda: not moving(controller), "the arm stands", 0.5)
    assert not client.control("speedL", DOWN, 0.5, 0.02)

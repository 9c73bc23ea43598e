"""What a client is told when the robot does not want it, or the network fails."""

from __future__ import annotations

import time

import pytest
from ur_rtde_process import UrRtdeError
from waiting import wait_until

from kprl_fake_hardware.controller import E_SERIES

pytestmark = pytest.mark.timeout(60)
FLAG_UPLOAD_SCRIPT, FLAG_UPPER_RANGE_REGISTERS = 1, 4


def test_registers_in_use_are_refused_in_words_and_the_upper_range_is_free(controller, make_client):
    controller.faults.registers_in_use()
    client = make_client()
    with pytest.raises(UrRtdeError, match="already in use"):
        client.open("control")
    client.open("control", flags=FLAG_UPLOAD_SCRIPT | FLAG_UPPER_RANGE_REGISTERS)
    assert client.control("isProgramRunning")
    assert client.control("speedL", [0.0, 0.0, -0.05, 0.0, 0.0, 0.0], 0.5, 0.02)
    wait_until(lambda: not controller.robot.arm.at_rest, "the arm moves")


def test_a_second_control_client_is_refused_in_words(client, make_client):
    with pytest.raises(UrRtdeError, match="already in use"):
        make_client("control")


def test_local_control_is_refused_in_words_on_an_e_series(make_controller, make_client):
    controller = make_controller(E_SERIES)
    controller.faults.local_control()
    with pytest.raises(UrRtdeError, match="remote control"):
        make_client("control")
    controller.faults.remote_control()
    make_client("control")


def test_local_control_ends_the_program(make_controller, make_client):
    controller = make_controller(E_SERIES)
    client = make_client("control")
    controller.faults.local_control()
    wait_until(lambda: not client.control("isProgramRunning"), "the program ends")


def test_a_controller_that_is_too_old(controller, make_client):
    """Before 3.4 there are no output registers, which ur_rtde needs: it says so when it is used."""
    controller.faults.controller_version("3.2.0.1")
    with pytest.raises(UrRtdeError):
        make_client("control")


def test_dropped_connections_are_seen(controller, client):
    assert client.receive("isConnected")
    controller.faults.drop_connections()
    wait_until(lambda: not client.receive("isConnected"), "the client sees it")


def test_silence_is_seen_by_a_standing_timestamp_and_ends(controller, client):
    controller.faults.go_silent()
    time.sleep(0.1)
    before = client.receive("getTimestamp")
    time.sleep(0.2)
    assert client.receive("getTimestamp") == before
    controller.faults.restore_network()
    wait_until(lambda: client.receive("getTimestamp") > before, "time goes on")


def test_refused_connections(controller, make_client):
    controller.faults.refuse("rtde")
    client = make_client()
    with pytest.raises(UrRtdeError, match="30004"):
        client.open("receive")
    controller.faults.restore_network()
    client.open("receive")


def test_a_fault_names_the_servers_there_are(controller):
    with pytest.raises(ValueError, match="dashboard, script, rtde"):
        controller.faults.refuse("telnet")

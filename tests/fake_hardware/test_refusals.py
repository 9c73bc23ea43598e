"""What a client is told when the robot does not want it, or the network fails."""

from __future__ import annotations

import socket
import time

import pytest
from ur_rtde_process import UrRtdeError
from waiting import wait_until

from kprl_fake_hardware import rtde
from kprl_fake_hardware.controller import E_SERIES
from kprl_fake_hardware.rtde import Kind

pytestmark = pytest.mark.timeout(60)
FLAG_UPLOAD_SCRIPT, FLAG_UPPER_RANGE_REGISTERS = 1, 8  # of ur_rtde 1.6.5


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


def test_another_controller_version_is_what_clients_are_told(controller, make_client, address):
    controller.faults.controller_version("6.0.0.1")
    assert make_client("dashboard").dashboard("polyscopeVersion") == "6.0.0.1"
    with socket.create_connection((address, 30004), 5.0) as connection:
        connection.sendall(rtde.build(Kind.CONTROLLER_VERSION))
        (answer,), _ = rtde.split(connection.recv(1024))
    assert rtde.parse_controller_version(answer.payload) == (6, 0, 0, 1)


@pytest.mark.parametrize("garbage", [bytes(3), b"GET / HTTP/1.1\r\n\r\n", rtde.build(Kind.DATA, b"\x01")])
def test_a_client_that_sends_garbage_is_dropped_and_the_others_stay(client, address, garbage):
    with socket.create_connection((address, 30004), 5.0) as connection:
        connection.sendall(garbage)
        try:
            assert connection.recv(1024) == b""
        except ConnectionResetError:
            pass
    assert client.receive("isConnected") and client.control("isProgramRunning")


def test_dropped_connections_are_seen(controller, make_client):
    """By the receive interface: the control interface of ur_rtde 1.6.5 reconnects again and again, and then crashes."""
    client = make_client("receive")
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

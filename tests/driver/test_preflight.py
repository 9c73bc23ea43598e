"""What is said of a host that is no robot, or one that may not be driven: in words, within a time-out."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from kprl.errors import KprlError
from kprl_driver import dashboard, preflight
from kprl_driver.preflight import explain, inspect, require_mode, require_version, why_hung
from kprl_fake_hardware.controller import E_SERIES, UrController

pytestmark = pytest.mark.timeout(30)
PATIENCE = 5.0  # [s] for any answer at all


@contextlib.contextmanager
def talker(address: str, port: int, says: bytes, hangs_up: bool = False) -> Iterator[None]:
    """A server that says one thing to everybody."""
    listener = socket.create_server((address, port))
    held = []

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.sendall(says)
                if hangs_up:
                    connection.close()
                else:
                    held.append(connection)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        listener.close()
        for connection in held:
            connection.close()


def refusal(address: str) -> str:
    """Why the robot at `address` cannot be driven."""
    began = time.monotonic()
    with pytest.raises(KprlError) as caught:
        inspect(address, lambda stage: None)
    assert time.monotonic() - began < PATIENCE and "\n" not in str(caught.value)
    return str(caught.value)


def test_a_closed_port(address):
    assert f"{address}:29999 (dashboard): the connection was refused" in refusal(address)


def test_an_address_where_nobody_is(monkeypatch):
    monkeypatch.setattr(dashboard, "CONNECT_TIMEOUT", 0.2)
    assert "192.0.2.1:29999" in refusal("192.0.2.1")


def test_a_name_that_is_none():
    assert "is the address right?" in refusal("robot.invalid")


@pytest.mark.parametrize(
    ("says", "hangs_up", "words"),
    [
        (b"", False, "said nothing for 2 s"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", False, "greets with 'SSH-2.0-OpenSSH_9.6': expected"),
        (b"x" * 5000, False, "lines without an end"),
        (b"\xff\x00\n", False, "greets with"),
        (b"", True, "closed the connection"),
    ],
)
def test_a_host_that_is_no_dashboard(address, says, hangs_up, words):
    with talker(address, dashboard.PORT, says, hangs_up):
        assert words in refusal(address)


@pytest.mark.parametrize(
    ("says", "hangs_up", "words"),
    [(b"", False, "said nothing for 2 s"), (b"HTTP/1.1 400\r\n", False, "is no RTDE"), (b"", True, "a UR controller?")],
)
def test_a_controller_whose_rtde_does_not_answer(controller, address, says, hangs_up, words):
    controller.faults.refuse("rtde")
    with talker(address, preflight.RTDE_PORT, says, hangs_up):
        answer = refusal(address)
        # Whether a server that hangs up is heard as an end or as a reset is a matter of chance.
        assert words in answer and "30004 (RTDE)" in answer


@pytest.mark.parametrize("server", ["dashboard", "script", "rtde"])
@pytest.mark.parametrize("how", ["refuse", "go_silent"])
def test_a_network_that_fails_while_connecting(controller, address, server, how):
    getattr(controller.faults, how)(server)
    if (server, how) == ("script", "go_silent"):
        return  # that server never says anything: see test_arm_process for what becomes of an upload
    assert {"dashboard": "29999", "script": "30003", "rtde": "30004"}[server] in refusal(address)
    controller.faults.restore_network()
    inspect(address, lambda stage: None)[0].close()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("protective_stop", "unlock it on the pendant"),
        ("emergency_stop", "release the button"),
        ("safeguard_stop", "reset the safeguard"),
    ],
)
def test_a_robot_that_may_not_move(controller, address, fault, words):
    getattr(controller.faults, fault)()
    assert words in refusal(address)


def test_a_robot_without_power(controller, address):
    controller.robot.power_off()
    assert "power it on" in refusal(address)


@pytest.mark.parametrize("version", ["6.0.0.1", "3.2.1.1", "10.7.0.1"])
def test_another_version(controller, address, version):
    controller.faults.controller_version(version)
    assert f"software is {version}: expected 3.3 or later on a CB3, 5 on an e-Series" in refusal(address)


def test_local_control_on_an_e_series(address):
    with UrController(address, version=E_SERIES) as controller:
        controller.faults.local_control()
        assert "switch it to remote control" in refusal(address)


def test_answers():
    assert require_version("URSoftware 5.11.1.108318 (Mar 16 2022)") == (5, "5.11.1.108318")
    require_mode("Safetymode: REDUCED", "Robotmode: RUNNING")
    for answers in (("Safetymode: NORMAL", "Robotmode: IDLE"), ("nonsense", "Robotmode: RUNNING")):
        with pytest.raises(KprlError):
            require_mode(*answers)
    with pytest.raises(KprlError, match="tells no version"):
        require_version("could not understand")
    assert explain("something\n else") == "ur_rtde cannot begin: something else"


def test_why_ur_rtde_hangs(controller, address):
    """It waits for ever where a safeguard stop comes while it waits for an answer."""
    assert why_hung(address) == ""
    controller.faults.safeguard_stop()
    assert "reset the safeguard" in why_hung(address)
    controller.faults.go_silent()
    began = time.monotonic()
    assert why_hung(address) == "" and time.monotonic() - began < 1.5

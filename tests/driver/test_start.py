"""How the node begins where it cannot: one clear line, exit status 2, within a time-out."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import pytest
from graph_processes import command, environment
from kprl_interfaces.msg import RobotStatus
from machines import Arm
from rig import Rig, next_domain, open_rig
from test_preflight import talker

from kprl_fake_hardware.controller import E_SERIES, UrController
from kprl_fake_hardware.gripper_server import RobotiqServer
from kprl_ros import topics

pytestmark = [pytest.mark.graph, pytest.mark.timeout(60)]
PATIENCE = 20.0  # [s] for any end at all; the slowest of the driver's own time-outs is 12 s


def fails(address: str, **parameters: Any) -> str:
    """The one line of a node that cannot begin."""
    began = time.monotonic()
    ended = subprocess.run(
        command("driver_node", robot_ip=address, **parameters),
        env=environment(next_domain()),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert ended.returncode == 2, ended.stderr
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("driver_node: "), ended.stderr
    assert time.monotonic() - began < PATIENCE
    return lines[0]


def test_nobody_there(address):
    assert "29999 (dashboard): the connection was refused" in fails(address)


def test_no_address():
    line = subprocess.run(
        command("driver_node"), env=environment(next_domain()), capture_output=True, text=True, timeout=PATIENCE
    ).stderr
    assert "parameter robot_ip is missing" in line


def test_a_host_that_says_nothing(address):
    with talker(address, 29999, b""):
        assert "said nothing for 2 s" in fails(address)


def test_a_host_that_talks_garbage(address):
    with talker(address, 29999, b"\x00\xff garbage\n"):
        assert "expected 'Universal Robots Dashboard Server'" in fails(address)


def test_a_controller_that_swallows_the_script(controller, address):
    """ur_rtde waits for it, holding Python's lock: the process is given up, and says what it was at."""
    controller.faults.go_silent("script")
    with RobotiqServer(address):
        line = fails(address)
    assert "ur_rtde" in line


def test_a_wrong_version(controller, address):
    controller.faults.controller_version("6.0.0.1")
    assert "software is 6.0.0.1" in fails(address)


def test_registers_in_use(controller, gripper, address):
    controller.faults.registers_in_use()
    assert "upper_registers:=true" in fails(address)


def test_local_control(address):
    with UrController(address, version=E_SERIES) as controller:
        controller.faults.local_control()
        assert "local control" in fails(address)


def test_no_gripper(controller, address):
    assert "63352 (gripper): the connection was refused" in fails(address)


def test_two_drivers_of_one_robot(tmp_path):
    with open_rig(tmp_path) as rig:
        assert f"another driver on this machine controls the robot {rig.address}" in fails(rig.address)
        second = Arm(rig.address)  # as from another machine
        assert "registers are in use" in second.until_failed()
        second.link.close()
        rig.home()


def test_a_gripper_is_not_activated_where_that_is_not_wanted(tmp_path):
    rig = Rig(tmp_path, activate_gripper=False)
    try:
        rig.graph.start("driver_node", robot_ip=rig.address, activate_gripper=False)
        rig.wait(lambda: rig.mode == RobotStatus.MODE_FAULT, "it waits for a person", 20.0)
        assert "take hands and objects out of the gripper" in rig.status.reason
        assert rig.gripper.gripper.status.name == "RESET"
        assert rig.ask(topics.DRIVER_RECOVER).success
        assert rig.gripper.gripper.status.name == "ACTIVE"
    finally:
        rig.close()

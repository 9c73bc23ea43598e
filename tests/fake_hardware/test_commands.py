"""The two commands, from outside, and the port at which faults are injected."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time

import pytest
from waiting import wait_until

from kprl_fake_hardware.controller import UrController
from kprl_fake_hardware.gripper_server import RobotiqServer
from kprl_fake_hardware.server_thread import STOP_TIMEOUT

pytestmark = pytest.mark.timeout(60)
MODULES = ("ur_controller", "robotiq_gripper")
TIMEOUT = 20.0  # [s] for a command to start, or to fail
FIRST_LINE = "is ready, Ctrl-C ends it"


def start(module: str, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", f"kprl_fake_hardware.{module}", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("module", MODULES)
def test_it_serves_until_ctrl_c(module, address):
    process = start(module, "--bind", address, "--pendant-port", "29100")
    try:
        assert FIRST_LINE in process.stdout.readline()
        with socket.create_connection((address, 29100), TIMEOUT) as pendant:
            lines = pendant.makefile("rw")

            def ask(text: str) -> dict:
                lines.write(text + "\n")
                lines.flush()
                return json.loads(lines.readline())

            assert ask("state")["ok"] and ask("refuse") == {"ok": True} and ask("restore_network")["ok"]
            assert "expected state" in ask("explode")["error"]
            if module == "ur_controller":
                assert ask("protective_stop")["ok"] and ask("state")["state"]["safety_mode"] == "PROTECTIVE_STOP"
                assert not ask("refuse telnet")["ok"] and not ask("controller_version")["ok"]
            else:
                assert ask("put_object 0.04")["ok"] and not ask("put_object wide")["ok"]
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(TIMEOUT) == 0
        assert time.monotonic() - began < STOP_TIMEOUT + 1.0
        assert "Traceback" not in process.stderr.read()
    finally:
        process.kill()


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    "arguments",
    [["--colour", "red"], ["--pendant-port", "99999"], ["--bind", "203.0.113.1"], ["--bind", "no such host"]],
)
def test_wrong_arguments_are_one_line(module, arguments):
    process = start(module, *arguments)
    _, complaint = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 2 and len(complaint.strip().splitlines()) == 1


@pytest.mark.parametrize("make", [UrController, RobotiqServer])
def test_a_port_that_is_taken_is_an_error_and_frees_the_others(make, address):
    with make(address):
        with pytest.raises(OSError):
            make(address)
    with make(address):  # everything is free again
        pass


def test_it_stops_in_time_with_clients_connected(controller, address):
    clients = [socket.create_connection((address, port), 5.0) for port in (29999, 30003, 30004) for _ in range(3)]
    wait_until(lambda: sum(server.clients for server in controller.servers.values()) == 9, "all are in")
    began = time.monotonic()
    controller.stop()
    assert time.monotonic() - began < STOP_TIMEOUT
    for client in clients:
        client.close()

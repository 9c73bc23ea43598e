"""The dashboard server, asked by ur_rtde's client and line by line."""

from __future__ import annotations

import socket

import pytest

from kprl_fake_hardware.controller import E_SERIES
from kprl_fake_hardware.dashboard import Dashboard
from kprl_fake_hardware.robot import Robot

pytestmark = pytest.mark.timeout(30)


def test_what_ur_rtde_asks(make_controller, make_client):
    make_controller(E_SERIES)
    client = make_client("dashboard")
    assert client.dashboard("polyscopeVersion") == "5.11.1.108318"
    assert client.dashboard("robotmode") == "Robotmode: RUNNING"
    assert client.dashboard("safetymode") == "Safetymode: NORMAL"
    assert client.dashboard("isInRemoteControl") is True
    assert client.dashboard("running") is False
    assert client.dashboard("getRobotModel") == "UR5"
    assert client.dashboard("getSerialNumber").isdecimal()
    client.dashboard("stop")
    client.dashboard("closeSafetyPopup")


def test_it_greets_and_says_goodbye(controller, address):
    with socket.create_connection((address, 29999), 5.0) as connection:
        lines = connection.makefile("rw")
        assert lines.readline() == "Connected: Universal Robots Dashboard Server\n"
        lines.write("quit\r\n")
        lines.flush()
        assert lines.readline() == "Disconnected\n" and lines.readline() == ""


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("play", "Failed to execute: play"),
        ("stop", "Stopped"),
        ("pause", "Failed to execute: pause"),
        ("programState", "STOPPED <unnamed>"),
        ("load x.urp", "File not found: x.urp"),
        ("popup hello", "showing popup"),
        ("dance", 'could not understand: "dance"'),
    ],
)
def test_answers(line, answer):
    assert Dashboard(Robot()).answer(line) == answer


def test_local_control_refuses_orders_but_answers_questions():
    robot = Robot(E_SERIES)
    robot.set_remote_control(False)
    dashboard = Dashboard(robot)
    assert dashboard.answer("power off") == "Failed to execute: power off"
    assert dashboard.answer("robotmode") == "Robotmode: RUNNING"
    assert dashboard.answer("is in remote control") == "false"

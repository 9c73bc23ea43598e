"""The 2F-85: its registers over time, and its server on a socket."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_until

from kprl_fake_hardware.fingers import STROKE
from kprl_fake_hardware.gripper import ACTIVATION_TIME, Fault, Gripper, opening_of, position_of
from kprl_fake_hardware.gripper_server import answer

pytestmark = pytest.mark.timeout(30)
PERIOD = 0.01  # [s]


def run(gripper: Gripper, seconds: float) -> None:
    for _ in range(round(seconds / PERIOD)):
        gripper.tick(PERIOD)


@pytest.fixture
def active() -> Gripper:
    gripper = Gripper()
    gripper.set({"ACT": 1})
    run(gripper, ACTIVATION_TIME + 0.1)
    return gripper


def go(gripper: Gripper, position: int, speed: int = 255) -> None:
    assert gripper.set({"POS": position, "SPE": speed, "FOR": 0, "GTO": 1})


def test_activation_takes_its_time():
    gripper = Gripper()
    gripper.set({"ACT": 1})
    gripper.tick(PERIOD)
    assert (gripper.get("ACT"), gripper.get("STA")) == (1, 1)
    run(gripper, ACTIVATION_TIME)
    assert (gripper.get("STA"), gripper.get("POS"), gripper.get("FLT")) == (3, 3, 0)
    gripper.set({"ACT": 0})
    gripper.tick(PERIOD)
    assert gripper.get("STA") == 0


@pytest.mark.parametrize(("act", "fault"), [(0, Fault.NOT_ACTIVATED), (1, Fault.ACTIVATION_PENDING)])
def test_it_does_not_move_before_it_is_active(act, fault):
    gripper = Gripper()
    gripper.set({"ACT": act, "GTO": 1, "POS": 255})
    run(gripper, 0.2)
    assert (gripper.get("POS"), gripper.get("FLT")) == (3, fault)


@pytest.mark.parametrize(("speed", "seconds"), [(0, STROKE / 0.020), (255, STROKE / 0.150)])
def test_closing_takes_as_long_as_its_speed_says(active, speed, seconds):
    go(active, 255, speed)
    run(active, seconds - 0.05)
    assert active.get("OBJ") == 0 and active.get("POS") < 230
    run(active, 0.1)
    assert (active.get("OBJ"), active.get("POS"), active.get("PRE")) == (3, 230, 255)


def test_an_object_stops_the_fingers_until_it_slips(active):
    active.fingers.put_object(0.04)
    go(active, 255)
    run(active, 1.0)
    assert (active.get("OBJ"), active.get("POS")) == (2, position_of(0.04)) and active.fingers.holds_object
    active.fingers.take_object()
    active.tick(PERIOD)
    assert active.get("OBJ") == 0
    run(active, 1.0)
    assert (active.get("OBJ"), active.get("POS")) == (3, 230)


def test_something_outside_stops_the_opening(active):
    go(active, 255)
    run(active, 1.0)
    active.fingers.block_opening(0.03)
    go(active, 0)
    run(active, 1.0)
    assert (active.get("OBJ"), active.get("POS")) == (1, position_of(0.03))


def test_a_fault_stops_the_fingers_until_a_reset(active):
    go(active, 255)
    run(active, 0.1)
    active.fail(Fault.OVERCURRENT)
    stopped = active.get("POS")
    run(active, 1.0)
    assert (active.get("POS"), active.get("FLT")) == (stopped, 14)
    active.set({"ACT": 0, "GTO": 0})
    active.tick(PERIOD)
    active.set({"ACT": 1})
    run(active, ACTIVATION_TIME + 0.1)
    assert (active.get("FLT"), active.get("STA")) == (0, 3)


def test_an_activation_that_fails():
    gripper = Gripper()
    gripper.fails_to_activate = True
    gripper.set({"ACT": 1})
    run(gripper, 2 * ACTIVATION_TIME)
    assert (gripper.get("FLT"), gripper.get("STA")) == (13, 1)


def test_automatic_release_opens_and_needs_a_reset(active):
    active.fingers.put_object(0.04)
    go(active, 255)
    run(active, 1.0)
    active.set({"ARD": 1, "ATR": 1})
    run(active, 0.1)
    assert active.get("FLT") == 11
    run(active, 5.0)
    assert (active.get("FLT"), active.get("POS")) == (15, 3)


@given(st.integers(3, 230))
def test_positions_and_openings_agree(position):
    assert position_of(opening_of(position)) == position


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=40))
def test_any_line_has_an_answer(line):
    assert answer(Gripper(), line) in ("ack", "nack") or line.split()[0] == "GET"


@pytest.mark.parametrize("line", ["", "SET", "SET POS", "SET POS 256", "SET POS -1", "SET POS x", "SET XYZ 1", "HELLO"])
def test_wrong_lines_change_nothing(line):
    gripper = Gripper()
    assert answer(gripper, line) == "nack" and not any(gripper.requests.values())


def ask(connection: socket.socket, text: str) -> str:
    connection.sendall(text.encode())
    return connection.recv(1024).decode()


def test_the_server_answers_several_clients(gripper):
    address = gripper.servers["gripper"].address
    with socket.create_connection(address, 5.0) as one, socket.create_connection(address, 5.0) as two:
        assert ask(one, "GET POS\n") == "POS 3\n"
        assert ask(one, "SET ACT 1\n") == "ack"
        wait_until(lambda: ask(two, "GET STA\n") == "STA 3\n", "it is active")
        gripper.faults.put_object(0.05)
        assert ask(two, "SET POS 255 SPE 255 FOR 0 GTO 1\n") == "ack"
        wait_until(lambda: ask(one, "GET OBJ\n") == "OBJ 2\n", "it holds the object")
        gripper.faults.slip()
        wait_until(lambda: ask(one, "GET POS\n") == "POS 230\n", "it has slipped")
        assert ask(one, "GET XYZ\n") == "XYZ ?\n"
        gripper.faults.cut_power()
        assert ask(one, "GET POS\n") == "POS ?\n"
        gripper.faults.restore_power()
        assert ask(one, "GET STA\n") == "STA 0\n"
        gripper.faults.drop_connections()
        assert ask(one, "") == ""

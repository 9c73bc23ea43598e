"""The gripper's client and thread against the fake gripper, and against what is none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from test_preflight import talker

from kprl.control.commands import GripperTarget
from kprl.errors import KprlError
from kprl_driver.gripper import COMMAND_PERIOD, Gripper
from kprl_driver.robotiq import ACTIVATION_TIMEOUT, EXCHANGE_TIMEOUT, PORT, Robotiq
from kprl_fake_hardware.gripper import Fault
from kprl_fake_hardware.gripper_server import RobotiqServer

pytestmark = pytest.mark.timeout(30)
CLOSED, OPEN = GripperTarget(0.0, 0.15, 40.0), GripperTarget(0.085, 0.15, 40.0)


def wait(condition: Callable[[], object], timeout: float = 5.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.005)


@pytest.fixture
def hand(gripper: RobotiqServer, address: str) -> Iterator[Gripper]:
    """The thread, with an active gripper."""
    with gripper.lock:
        gripper.gripper.set({"ACT": 1})
        for _ in range(200):
            gripper.gripper.tick(0.01)
    hand = Gripper(lambda: Robotiq(address))
    assert hand.reached.wait(3.0)
    assert hand.trouble == ""
    yield hand
    hand.close()


def test_activation_takes_its_time_and_opens(gripper, address):
    client = Robotiq(address)
    assert not client.state().is_active
    began = time.monotonic()
    client.activate()
    assert time.monotonic() - began < ACTIVATION_TIMEOUT
    assert client.state().is_active and client.state().opening == pytest.approx(0.085)


def test_a_failed_activation_says_so(gripper, address):
    gripper.faults.fail_activation()
    with pytest.raises(KprlError, match="fault 13: its activation failed"):
        Robotiq(address).activate()


@pytest.mark.parametrize(
    ("says", "words"), [(b"", f"said nothing for {EXCHANGE_TIMEOUT:g} s"), (b"hello\n", "answers 'hello' to 'GET STA'")]
)
def test_a_server_that_is_no_gripper(address, says, words):
    with talker(address, PORT, says):
        began = time.monotonic()
        with pytest.raises(KprlError, match=words):
            Robotiq(address).state()
        assert time.monotonic() - began < 2 * EXCHANGE_TIMEOUT


def test_nobody_there(address):
    with pytest.raises(KprlError, match=r"63352 \(gripper\): the connection was refused"):
        Robotiq(address)


def test_wrong_registers_are_refused_in_words(gripper, address):
    with pytest.raises(KprlError, match="expected 'ack'"):
        Robotiq(address).set(XYZ=1)


def test_it_goes_where_it_is_told_and_holds_what_is_there(gripper, hand):
    gripper.faults.put_object(0.04)
    hand.command(CLOSED)
    wait(lambda: hand.state.object_status == 2)
    assert hand.state.opening == pytest.approx(0.04, abs=4e-4)
    gripper.faults.slip()
    wait(lambda: hand.state.object_status == 3)
    assert hand.state.opening == pytest.approx(0.0, abs=4e-4) and hand.trouble == ""
    hand.command(OPEN)
    wait(lambda: hand.state.opening > 0.084)


def test_targets_are_sent_at_a_limited_rate_and_the_newest_counts(gripper, hand):
    seen = []
    original = gripper.gripper.set
    gripper.gripper.set = lambda values: (seen.append(values), original(values))[1]
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        hand.command(GripperTarget(0.04 + 0.03 * (time.monotonic() % 0.1), 0.15, 40.0))
        time.sleep(0.002)
    hand.command(CLOSED)
    wait(lambda: seen[-1]["POS"] == 255)
    assert len(seen) <= 0.5 / COMMAND_PERIOD + 3


@pytest.mark.parametrize("how", ["drop_connections", "go_silent", "refuse", "cut_power"])
def test_a_lost_gripper_is_told_and_read_again_but_follows_nothing_old(gripper, hand, how):
    gripper.faults.put_object(0.03)
    hand.command(CLOSED)
    wait(lambda: hand.state.object_status == 2)
    began = time.monotonic()
    getattr(gripper.faults, how)()
    wait(lambda: hand.trouble)
    assert time.monotonic() - began < EXCHANGE_TIMEOUT + 0.3
    assert "/driver/recover" in hand.trouble and "gripper" in hand.trouble
    gripper.faults.restore_network()
    gripper.faults.restore_power()
    gripper.faults.slip()  # a target from before would close the fingers now
    with gripper.lock:
        gripper.gripper.requests["GTO"] = 0
    if how == "cut_power":
        wait(lambda: "not activated" in hand.trouble)
    else:
        wait(lambda: hand.trouble == "")
    before = hand.state.opening
    time.sleep(0.3)
    assert hand.state.opening == before


def test_a_fault_and_a_lost_activation_are_never_mended_by_surprise(gripper, hand):
    gripper.faults.fail(Fault.OVERCURRENT)
    wait(lambda: "fault 14: overcurrent" in hand.trouble)
    hand.command(CLOSED)
    time.sleep(0.3)
    assert hand.state.opening > 0.08
    hand.activate()
    assert hand.is_activating
    wait(lambda: not hand.is_activating)
    assert hand.trouble == ""
    gripper.faults.lose_activation()
    wait(lambda: "not activated; activation moves the fingers" in hand.trouble)
    time.sleep(0.3)
    assert not hand.state.is_active


def test_an_activation_that_fails_ends(gripper, hand):
    gripper.faults.fail_activation()
    hand.activate()
    wait(lambda: not hand.is_activating, 10.0)
    assert "activation failed" in hand.trouble

"""The real ur_rtde clients and the real gripper protocol, and what happens in the world."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hand import Hand, joints_over
from waiting import wait_until

from kprl.control.kinematics import tool_and_jacobian
from kprl.errors import KprlError
from kprl.sim.assets.make_urdf import TCP_OFFSET
from kprl.sim.objects import OBJECTS
from kprl_fake_hardware.gripper import ObjectStatus, position_of
from kprl_fake_hardware.modes import SafetyMode
from kprl_fake_hardware.tcp_server import TcpServer
from kprl_fake_hardware.workcell import WORLD_PORT, Workcell
from kprl_fake_hardware.world_link import WorldLink
from kprl_fake_hardware.world_orders import SAFE_HEIGHT, refuse_scene

pytestmark = pytest.mark.timeout(90)
UP, DOWN = [0.0, 0.0, 0.1, 0.0, 0.0, 0.0], [0.0, 0.0, -0.05, 0.0, 0.0, 0.0]


def move_to(client, x: float, y: float, z: float) -> None:
    assert client.control("moveJ", joints_over(x, y, z).tolist(), 1.0, 2.0)


def tool(workcell: Workcell) -> np.ndarray:
    with workcell.lock:
        return tool_and_jacobian(np.array(workcell.world.poses().joints), TCP_OFFSET)[0][:3, 3]


def truth(workcell: Workcell):
    with workcell.lock:
        return workcell.world.truth()


@pytest.fixture
def hand(workcell: Workcell):
    hand = Hand(workcell.gripper.servers["gripper"].address)
    if hand.get("STA") != 3:
        hand.activate()
    yield hand
    hand.close()


def test_the_worlds_tool_is_where_the_client_sent_it(workcell, client):
    for place in ((0.5, 0.0, 0.15), (0.42, 0.1, 0.2), (0.58, -0.1, 0.12)):
        move_to(client, *place)
        wait_until(lambda: np.abs(workcell.controller.robot.arm.rates).max() == 0.0, "the arm stands")
        time.sleep(0.02)
        assert np.linalg.norm(tool(workcell) - place) < 2e-4


def test_speed_l_moves_the_worlds_tool_at_that_speed(workcell, client):
    move_to(client, 0.5, 0.0, 0.12)
    client.control("speedL", UP, 1.0)
    time.sleep(0.3)
    with workcell.lock:
        before, since = tool(workcell), workcell.controller.robot.time
    time.sleep(0.5)
    with workcell.lock:
        after, until = tool(workcell), workcell.controller.robot.time
    client.control("speedStop")
    assert (after - before)[2] / (until - since) == pytest.approx(0.1, rel=0.03)
    assert np.abs(after - before)[:2].max() < 5e-4


def test_grasp_lift_and_drop(workcell, client, hand):
    hand.go(0)
    move_to(client, 0.5, 0.0, 0.2)
    workcell.new_scene(1)
    x, y, rest = truth(workcell).position
    move_to(client, x, y, 0.12)
    move_to(client, x, y, 0.028)
    assert hand.go(255) == ObjectStatus.STOPPED_CLOSING
    width = OBJECTS["cube"].grip_width
    assert position_of(1.35 * width) <= hand.get("POS") <= position_of(0.95 * width)  # it may lie askew
    assert truth(workcell).engaged
    client.control("speedL", UP, 0.5)
    time.sleep(1.0)
    client.control("speedStop")
    held = truth(workcell)
    assert held.position[2] > rest + 0.08 and held.engaged and hand.get("OBJ") == ObjectStatus.STOPPED_CLOSING
    with pytest.raises(KprlError, match="holds something.*/reset_episode"):
        workcell.new_scene(2)
    assert hand.go(0) == ObjectStatus.AT_TARGET
    wait_until(lambda: truth(workcell).position[2] < rest + 0.005, "it has fallen")
    assert not truth(workcell).engaged


def test_what_slips_is_lost_and_the_gripper_says_so(workcell, client, hand):
    hand.go(0)
    move_to(client, 0.5, 0.0, 0.2)
    workcell.new_scene(3)
    x, y, rest = truth(workcell).position
    move_to(client, x, y, 0.12)
    move_to(client, x, y, 0.03)
    assert hand.go(255) == ObjectStatus.STOPPED_CLOSING
    move_to(client, x, y, 0.18)
    workcell.gripper.faults.slip()
    wait_until(lambda: hand.get("OBJ") == ObjectStatus.AT_TARGET, "the fingers are shut")
    assert hand.get("POS") == 230 and truth(workcell).position[2] < rest + 0.005
    hand.go(0)


def test_closing_on_nothing_holds_nothing(workcell, client, hand):
    move_to(client, 0.5, 0.0, 0.2)
    assert hand.go(255) == ObjectStatus.AT_TARGET and hand.get("POS") == 230
    assert hand.go(0) == ObjectStatus.AT_TARGET and hand.get("POS") == 3


def test_the_gripper_port_refuses_what_the_world_decides(workcell):
    with pytest.raises(ValueError, match="lay a new scene"):
        workcell.gripper.faults.put_object(0.04)


def test_the_world_port_answers_and_obeys(workcell, client, hand):
    hand.go(0)
    move_to(client, 0.5, 0.0, 0.2)
    link = WorldLink((workcell.gripper.servers["gripper"].address[0], WORLD_PORT))
    assert link.ask("domain") == {"task": "grasp", "scene": "env1", "object": "cube", "randomization": "workcell"}
    before = link.ask("poses")["scene"]
    assert link.ask("new_scene 7") == {}
    assert (link.ask("poses")["scene"], link.ask("state")["seed"]) == (before + 1, 7)
    for wrong in ("dance", "new_scene", "new_scene soon"):
        with pytest.raises(ConnectionError, match=f"does not answer {wrong}: "):
            link.ask(wrong)
    link.close()


def test_nobody_reaches_in_while_the_robot_is_in_the_way(workcell, client, hand):
    assert not refuse_scene(SAFE_HEIGHT, 0.0, False)
    move_to(client, 0.5, 0.0, 0.08)
    scene = workcell.world.scene
    with pytest.raises(KprlError, match="80 mm over the table"):
        workcell.new_scene(9)
    client.control("speedL", UP, 0.5)
    time.sleep(0.3)
    with pytest.raises(KprlError, match="the arm moves"):
        workcell.new_scene(9)
    client.control("speedStop")
    assert workcell.world.scene == scene


def test_an_arm_that_runs_into_the_table_stops(workcell, client):
    move_to(client, 0.5, 0.0, 0.1)
    client.control("speedL", DOWN, 0.5)
    wait_until(lambda: workcell.controller.robot.safety == SafetyMode.PROTECTIVE_STOP, "the protective stop")
    assert "strays from its path" in workcell.controller.robot.last_error
    assert tool(workcell)[2] > 0.0  # the world's arm did not go through the table


def test_a_taken_port_is_an_error_and_frees_the_others(make_address):
    address = make_address()
    taken = TcpServer(address, WORLD_PORT, lambda: None)
    with pytest.raises(OSError):
        Workcell(host=address)
    taken.close()
    with Workcell(host=address, seed=4) as workcell:
        wait_until(lambda: truth(workcell).step > 2, "time passes")

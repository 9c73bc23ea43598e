"""What the arm process sends, tick by tick, without process, robot or clock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from machines import HOME, STANDSTILL, TOOL_OFFSET

from kprl.control.kinematics import resolved_rates, tool_and_jacobian
from kprl.control.limits import MAX_LINEAR_SPEED, WORKSPACE
from kprl.control.safety import ArmState, safe_velocity
from kprl_driver.condition import why_standing
from kprl_driver.homing import ARRIVED, MAX_TURN, TOOL_SPEED, way_home, why_not_home
from kprl_driver.pilot import (
    FAULT,
    HALTED,
    IDLE,
    LATENCY,
    PERIOD,
    REACTION,
    SILENCE,
    STOP_DECELERATION,
    Joints,
    Move,
    Pilot,
    Reading,
    Rest,
    Stop,
    Tool,
)
from kprl_driver.wire import GoHome, Halt, Release, Twist

LAG = 2  # ticks until the arm does what was sent


class Simulation:
    """An arm that does exactly what it is told, LAG ticks later."""

    def __init__(self, joints: np.ndarray = HOME) -> None:
        self.pilot, self.joints, self.now = Pilot(TOOL_OFFSET), joints.copy(), 100.0
        self.modes = {"robot_mode": 7, "safety_mode": 1, "runtime_state": 2}
        self.connected, self.frozen = True, False
        self._stamp = 0.0
        self._pending: list[Move] = [Rest()] * LAG

    def position(self) -> np.ndarray:
        return tool_and_jacobian(self.joints, TOOL_OFFSET)[0][:3, 3]

    def reading(self) -> Reading:
        if not self.frozen:
            self._stamp = self.now
        return Reading(self.connected, self._stamp, self.joints, self.position(), np.zeros(4), **self.modes)

    def tick(self) -> Move:
        reading = self.reading()
        move = self.pilot.tick(reading, self.now)
        self.report = self.pilot.report(reading, self.now, 0.0)
        self._pending.append(move)
        match self._pending.pop(0):
            case Tool(linear):
                jacobian = tool_and_jacobian(self.joints, TOOL_OFFSET)[1]
                self.joints = self.joints + PERIOD * resolved_rates(jacobian, np.concatenate([linear, np.zeros(3)]))
            case Joints(rates):
                self.joints = self.joints + PERIOD * rates
        self.now += PERIOD
        return move

    def run(self, seconds: float, linear: np.ndarray | None = None) -> list[Move]:
        moves = []
        for tick in range(round(seconds / PERIOD)):
            if linear is not None and tick % 4 == 0:
                self.pilot.take(Twist(linear.tolist(), self.now), self.now)
            moves.append(self.tick())
        return moves


def test_nothing_moves_without_a_command():
    simulation = Simulation()
    assert all(isinstance(move, Rest) for move in simulation.run(1.0))
    assert simulation.report.mode == IDLE


@given(st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=3), st.integers(1, 30))
def test_what_is_sent_is_what_safe_velocity_returned(wanted, ticks):
    simulation = Simulation()
    sent = np.zeros(3)
    for _ in range(ticks):
        simulation.pilot.take(Twist(wanted, simulation.now), simulation.now)
        state = ArmState(simulation.joints, simulation.position() + LATENCY * sent, sent)
        expected = safe_velocity(np.array(wanted), state, PERIOD, TOOL_OFFSET).linear
        move = simulation.tick()
        assert isinstance(move, Tool) or not expected.any()
        sent = move.linear if isinstance(move, Tool) else np.zeros(3)
        assert np.array_equal(sent, expected) and np.array_equal(sent, simulation.report.sent)


@given(st.floats(0.01, MAX_LINEAR_SPEED), st.floats(0.2, 0.6))
def test_the_stop_comes_early_enough_to_stand_when_the_dead_mans_time_is_over(speed, driven):
    simulation = Simulation()
    simulation.run(driven, np.array([0.0, speed, 0.0]))
    last = simulation.now
    simulation.pilot.take(Twist([0.0, speed, 0.0], last), last)
    while isinstance(simulation.tick(), Tool):
        fast = float(np.linalg.norm(simulation.report.sent))
    stopped = simulation.now - PERIOD  # when the tick of the stop began
    assert simulation.report.mode == HALTED and "dead-man" in simulation.report.reason
    assert stopped - last + REACTION + fast / STOP_DECELERATION <= STANDSTILL + PERIOD
    assert isinstance(simulation.tick(), Rest)


def test_a_velocity_counts_from_when_it_came_not_from_when_it_was_read():
    simulation = Simulation()
    simulation.pilot.take(Twist([0.0, 0.1, 0.0], simulation.now - 0.2), simulation.now)
    assert isinstance(simulation.tick(), Rest)


@pytest.mark.parametrize("wall", [[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [-1.0, 1.0, -1.0]])
def test_walls_hold_in_spite_of_the_lag(wall):
    simulation = Simulation()
    for _ in range(150):
        simulation.run(PERIOD * 2, MAX_LINEAR_SPEED * np.array(wall))
        over = np.maximum(simulation.position() - WORKSPACE.upper, WORKSPACE.lower - simulation.position())
        assert over.max() < 1e-3


def test_halt_stops_at_once_and_nothing_from_before_the_release_moves():
    simulation = Simulation()
    simulation.run(0.3, np.array([0.0, 0.1, 0.0]))
    simulation.pilot.take(Halt("because"), simulation.now)
    assert isinstance(simulation.tick(), Stop)
    assert (simulation.report.mode, simulation.report.reason) == (HALTED, "because")
    assert all(isinstance(move, Rest) for move in simulation.run(0.3, np.array([0.0, 0.1, 0.0])))
    before = simulation.now
    simulation.tick()
    simulation.pilot.take(Release(), simulation.now)
    simulation.pilot.take(Twist([0.0, 0.1, 0.0], before), simulation.now)
    assert isinstance(simulation.tick(), Rest)
    simulation.tick()
    simulation.pilot.take(Twist([0.0, 0.1, 0.0], simulation.now), simulation.now)
    assert isinstance(simulation.tick(), Tool)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"safety_mode": 3}, "protective stop"),
        ({"safety_mode": 5}, "safeguard stop"),
        ({"safety_mode": 7}, "emergency stop"),
        ({"safety_mode": 42}, "unknown safety mode 42"),
        ({"robot_mode": 3}, "no power"),
        ({"runtime_state": 1}, "control program"),
        ({"runtime_state": 4, "safety_mode": 3}, "protective stop"),
    ],
)
def test_a_fault_ends_motion_for_ever_and_says_what_to_do(change, words):
    simulation = Simulation()
    simulation.run(0.3, np.array([0.0, 0.1, 0.0]))
    well = dict(simulation.modes)
    simulation.modes |= change
    assert isinstance(simulation.tick(), Stop)
    assert words in simulation.report.fault and "/driver/recover" in simulation.report.fault
    simulation.modes = well
    simulation.pilot.take(Release(), simulation.now)
    assert all(isinstance(move, Rest) for move in simulation.run(0.3, np.array([0.0, 0.1, 0.0])))
    assert simulation.report.mode == FAULT
    assert why_standing(**well) == ""


@pytest.mark.parametrize("how", ["frozen", "connected"])
def test_a_controller_that_is_not_heard_is_lost(how):
    simulation = Simulation()
    simulation.run(0.3, np.array([0.0, 0.1, 0.0]))
    setattr(simulation, how, how == "frozen")
    simulation.run(SILENCE + 2 * PERIOD, np.array([0.0, 0.1, 0.0]))
    assert simulation.pilot.is_lost and simulation.report.mode == FAULT


def test_a_controller_that_takes_no_commands_is_a_fault():
    pilot = Simulation().pilot
    for _ in range(5):
        assert not pilot.fault
        pilot.answered(False)
    assert "refuses commands" in pilot.fault


@given(st.lists(st.floats(-0.4, 0.4), min_size=6, max_size=6))
def test_home_is_reached_slowly_or_not_at_all(offset):
    simulation = Simulation(HOME + np.array(offset))
    simulation.pilot.take(GoHome(HOME.tolist(), 7), simulation.now)
    while simulation.report.home_number != 7 if hasattr(simulation, "report") else True:
        simulation.tick()
        assert np.linalg.norm(simulation.report.sent) <= TOOL_SPEED + 0.02
        assert simulation.now < 115.0
    if not simulation.report.home_failure:
        simulation.run(0.1)
        assert np.abs(way_home(simulation.joints, HOME)).max() < 2 * ARRIVED
    assert simulation.report.mode == IDLE


def test_a_low_tool_rises_first():
    simulation = Simulation()
    simulation.run(1.2, np.array([0.0, 0.15, -0.15]))
    low = simulation.position()
    assert low[2] < 0.06
    simulation.pilot.take(GoHome(HOME.tolist(), 1), simulation.now)
    moves = simulation.run(0.2)
    assert all(isinstance(move, Tool) for move in moves) and np.allclose(simulation.position()[:2], low[:2], atol=2e-3)
    simulation.run(5.0)
    assert simulation.report.home_failure == "" and np.allclose(simulation.joints, HOME, atol=2 * ARRIVED)


def test_home_is_refused_where_it_is_far_or_the_way_is_low():
    away = HOME.copy()
    away[0] += MAX_TURN + 0.1
    assert "joint 1 would turn" in why_not_home(away, HOME, TOOL_OFFSET)
    low = HOME.copy()
    low[1] += 0.5  # the shoulder leans forward: the tool goes into the table
    assert "near to the table" in why_not_home(low, HOME, TOOL_OFFSET)
    around = HOME.copy()
    around[5] += 2 * np.pi
    assert np.allclose(way_home(around, HOME), 0.0)


@pytest.mark.parametrize("order", [Halt("stop"), None])
def test_the_way_home_is_interrupted(order):
    simulation = Simulation(HOME + 0.3)
    simulation.pilot.take(GoHome(HOME.tolist(), 3), simulation.now)
    simulation.run(0.4)
    if order:
        simulation.pilot.take(order, simulation.now)
    else:
        simulation.modes["safety_mode"] = 3
    assert isinstance(simulation.tick(), Stop)
    assert simulation.report.home_number == 3 and simulation.report.home_failure
    assert all(isinstance(move, Rest) for move in simulation.run(0.5))


def test_velocities_do_not_disturb_the_way_home():
    simulation = Simulation(HOME + np.array([0.3, 0.0, 0.0, 0.0, 0.0, 0.0]))
    simulation.pilot.take(GoHome(HOME.tolist(), 1), simulation.now)
    moves = simulation.run(0.4, np.array([0.0, 0.2, 0.0]))
    assert not any(isinstance(move, Tool) for move in moves)

"""What to send to the arm in each tick of the control loop. Pure: readings and orders in, one move out.

Nothing moves unless a velocity is held that is young enough, or a motion home was ordered; a fault is for ever.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprl.control.commands import DEAD_MAN, HeldCommand
from kprl.control.kinematics import jacobian
from kprl.control.safety import ArmState, safe_velocity
from kprl_driver.condition import why_standing
from kprl_driver.homing import Homing
from kprl_driver.wire import GoHome, Halt, Message, Release, Report, Twist

Array = npt.NDArray[np.float64]

PERIOD = 0.008  # [s] of the control loop: the rate of a CB3 controller, a quarter of an e-Series'
STOP_DECELERATION = 10.0  # [m/s^2] of speedStop, as ur_rtde has it by default
REACTION = 0.02  # [s] from the decision to stop to the beginning of it: two cycles of a CB3, and waking up
LATENCY = 0.016  # [s] from a reading to when the arm follows what was made of it
SILENCE = 0.2  # [s] without a new state after which the controller counts as lost
INSTANT = 1e-4  # [s] after a moment at which it is over for sure
REFUSALS = 5  # commands in a row that the controller may refuse before that is a fault
IDLE, ACTIVE, HALTED, FAULT = range(4)  # modes of RobotStatus


@dataclass(frozen=True)
class Reading:
    """What the controller says."""

    connected: bool
    timestamp: float  # [s] of the controller's clock
    joints: Array  # (6,) [rad]
    position: Array  # (3,) [m] of the tool centre point in base_link
    quaternion: Array  # (4,) xyzw
    robot_mode: int
    safety_mode: int
    runtime_state: int


@dataclass(frozen=True)
class Tool:
    """Move the tool with this velocity (3,) [m/s] in base_link."""

    linear: Array


@dataclass(frozen=True)
class Joints:
    """Turn the joints with these rates (6,) [rad/s]."""

    rates: Array


@dataclass(frozen=True)
class Stop:
    """Bring the arm to a standstill."""


@dataclass(frozen=True)
class Rest:
    """The arm stands: only show the controller that somebody is there."""


Move = Tool | Joints | Stop | Rest


class Pilot:
    """`take` orders, then `tick`; what it returned last counts as sent."""

    def __init__(self, tool_offset: float) -> None:
        self._tool_offset = tool_offset
        self._held = HeldCommand(0.0)  # of its gripper nothing is used
        self._followed_at = -math.inf  # [s] when the velocity that is followed came
        self._expired = False  # the dead-man has stopped the arm: once it does, only a new velocity moves it
        self._halted = ""  # why, by order
        self._homing: Homing | None = None
        self._home_number, self._home_failure, self._home_ordered = 0, "", 0
        self._sent = np.zeros(3)  # [m/s]
        self._moving = False  # something was sent that goes on until a stop
        self._timestamp = -1.0  # [s] of the newest state, on the controller's clock
        self._heard: float | None = None  # [s] when it came
        self._refusals = 0
        self._released = -math.inf  # [s]
        self._limit = ""  # why less was sent than was wanted
        self.fault, self.is_lost = "", False

    def take(self, order: Message, now: float) -> None:
        """Follow an order that came `now` [s]."""
        match order:
            case Twist(linear, at):
                # One that was on its way when the arm was stopped or released is none of those that may move it.
                if not self._halted and self._homing is None and at > self._released:
                    self._followed_at = min(at, now)
                    self._held.offer_twist(np.array(linear), self._followed_at)
                    self._expired = False
            case Halt(reason):
                self._halted = reason
                self._held.forget_twist()
                self._end_homing(reason)
            case Release():
                self._halted, self._released = "", now
                self._held.forget_twist()
            case GoHome(joints, number):
                self._home_ordered = number
                self._held.forget_twist()
                self._homing = Homing(np.array(joints), self._tool_offset, PERIOD, now)
                refusal = self.fault or self._halted
                if refusal:
                    self._end_homing(refusal)

    def tick(self, reading: Reading, now: float) -> Move:
        """The move of the tick that begins `now` [s]."""
        self._look(reading, now)
        if self.fault:
            self._held.forget_twist()
            self._end_homing(self.fault)
        move = Stop() if self.fault or self._halted else self._move(reading, now)
        if isinstance(move, Stop) and not self._moving:
            move = Rest()
        self._moving = isinstance(move, (Tool, Joints))
        if isinstance(move, Tool):
            self._sent = move.linear
        elif isinstance(move, Joints):
            self._sent = jacobian(reading.joints, self._tool_offset)[:3] @ move.rates
        else:
            self._sent = np.zeros(3)
        return move

    def answered(self, accepted: bool) -> None:
        """Whether the controller took the last move."""
        self._refusals = 0 if accepted else self._refusals + 1
        if self._refusals >= REFUSALS:
            self.fail("the controller refuses commands: see the pendant, then call /driver/recover")

    def fail(self, reason: str, is_lost: bool = False) -> None:
        """Nothing moves any more; `is_lost`: nothing is heard any more either. The first reason is the cause."""
        self.fault = self.fault or reason
        self.is_lost |= is_lost

    def report(self, reading: Reading, now: float, worst_period: float) -> Report:
        """How it is after a tick."""
        mode, reason = self._mode()
        return Report(
            at=now,
            joints=reading.joints.tolist(),
            position=reading.position.tolist(),
            quaternion=reading.quaternion.tolist(),
            sent=self._sent.tolist(),
            mode=mode,
            reason=reason,
            safety_mode=reading.safety_mode,
            fault=self.fault,
            home_number=self._home_number,
            home_failure=self._home_failure,
            worst_period=worst_period,
        )

    def _look(self, reading: Reading, now: float) -> None:
        """Judge the controller's state, and whether there is one."""
        if self._heard is None or reading.timestamp != self._timestamp:
            self._timestamp, self._heard = reading.timestamp, now
        if not reading.connected:
            self.fail("the connection to the controller broke: is it switched on, is the network up?", is_lost=True)
        elif now - self._heard > SILENCE:
            self.fail(f"the controller has been silent for {SILENCE:g} s: is its network cable in?", is_lost=True)
        else:
            reason = why_standing(reading.robot_mode, reading.safety_mode, reading.runtime_state)
            if reason:
                self.fail(reason)

    def _move(self, reading: Reading, now: float) -> Move:
        # Where the arm will be when it begins to follow, not where it was when it was measured.
        state = ArmState(reading.joints, reading.position + LATENCY * self._sent, self._sent)
        if self._homing is not None:
            return self._go_home(self._homing, state, now)
        self._expired |= self._is_too_old(now)
        if not self._held.begun or self._expired:
            return Stop()
        wanted = self._held.command(now).linear
        safe = safe_velocity(wanted, state, PERIOD, self._tool_offset)
        self._limit = safe.reason
        return Tool(safe.linear) if self._moving or safe.linear.any() else Rest()

    def expires(self) -> float:
        """When [s] the dead-man must act: a tick that begins later is late."""
        is_followed = self._moving and self._homing is None
        return self._followed_at + DEAD_MAN - self._lead() + INSTANT if is_followed else math.inf

    def _is_too_old(self, now: float) -> bool:
        """Whether the arm must begin to stop, so that it stands when the dead-man's time is over."""
        return self._held.stopped_by_dead_man(now + self._lead())

    def _lead(self) -> float:
        """Time [s] that it takes to stand from now on."""
        return REACTION + float(np.linalg.norm(self._sent)) / STOP_DECELERATION

    def _go_home(self, homing: Homing, state: ArmState, now: float) -> Move:
        if homing.rising:
            linear = homing.rise(state, now)
            if linear is not None:
                return Tool(linear)
            if not homing.failure:
                return Stop()  # between two kinds of motion: the controller runs one at a time
        rates = None if homing.failure else homing.turn(state.joints, now)
        if rates is not None:
            return Joints(rates)
        self._end_homing(homing.failure)
        return Stop()

    def _end_homing(self, failure: str) -> None:
        if self._homing is not None:
            self._homing, self._home_number, self._home_failure = None, self._home_ordered, failure

    def _mode(self) -> tuple[int, str]:
        if self.fault:
            return FAULT, self.fault
        if self._halted:
            return HALTED, self._halted
        if self._homing is not None:
            return ACTIVE, "going home"
        if not self._held.begun:
            return IDLE, ""
        if self._expired:
            return HALTED, f"dead-man: no valid velocity for {DEAD_MAN:g} s"
        return ACTIVE, self._limit

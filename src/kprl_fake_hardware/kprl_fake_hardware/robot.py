"""A UR controller without its sockets: joints, modes, safety, program and watchdog, advanced by `tick`.

Nothing here looks at a clock or at chance: the same calls between the same ticks give the same states.
"""

from __future__ import annotations

import logging

import numpy as np

from kprl_fake_hardware.arm import HOME, JOINT_LIMIT, MAX_JOINT_SPEED, Arm, Array
from kprl_fake_hardware.control_program import ControlProgram, ProgramError
from kprl_fake_hardware.modes import MAY_MOVE, RobotMode, RuntimeState, SafetyMode
from kprl_fake_hardware.motion import HALT_DECELERATION, Stop
from kprl_fake_hardware.outputs import arm_outputs, mode_outputs
from kprl_fake_hardware.power import Power
from kprl_fake_hardware.registers import Registers
from kprl_fake_hardware.rtde import Value
from kprl_fake_hardware.script import read_script
from kprl_fake_hardware.variables import CONSTANTS
from kprl_fake_hardware.watchdog import Watchdog

CB3_MAJOR_VERSION = 3
START_TIME = 0.05  # [s] from the end of an upload to a running program
UNLOCK_DELAY = 5.0  # [s] after a protective stop before which it cannot be unlocked (UR user manual)

log = logging.getLogger(__name__)


class Robot:
    """The whole controller. `version`: major (3 for a CB3, 5 for an e-Series), minor, bugfix, build."""

    def __init__(self, version: tuple[int, int, int, int] = (5, 11, 1, 108318), joints: Array = HOME) -> None:
        self.version = version
        self.frequency = 125.0 if version[0] <= CB3_MAJOR_VERSION else 500.0  # [Hz]
        self.period = 1.0 / self.frequency
        self.arm = Arm(joints)
        self.registers = Registers()
        self.time = 0.0  # [s] since switched on
        self.power = Power()
        self.safety, self.runtime = SafetyMode.NORMAL, RuntimeState.STOPPED
        self.remote_control = True  # e-Series only; a CB3 has no such switch
        self.last_error, self.last_error_at = "", 0.0  # what the pendant shows, and since when [s]
        self.program_name = ""
        self._program: ControlProgram | None = None
        self._starting: tuple[float, int] | None = None  # when the uploaded program starts, and its register offset
        self._watchdog: Watchdog | None = None
        self._protective_stop_at = -UNLOCK_DELAY
        self._halt = Stop(HALT_DECELERATION)
        self._state: dict[str, Value] | None = None

    @property
    def mode(self) -> RobotMode:
        """Power and brakes."""
        return self.power.mode

    @property
    def is_e_series(self) -> bool:
        """Whether there is a switch between local and remote control."""
        return self.version[0] > CB3_MAJOR_VERSION

    @property
    def may_be_commanded(self) -> bool:
        """Whether scripts and the dashboard are obeyed."""
        return self.remote_control or not self.is_e_series

    def tick(self, period: float | None = None) -> None:
        """Let `period` [s] pass, by default one cycle of the controller."""
        period = self.period if period is None else period
        self.time += period
        self._state = None
        self.power.tick(period)
        self._watch(period)
        self._start_program()
        if self.runtime == RuntimeState.PLAYING and self._program is not None:
            self._run_program(self._program)
        self._move(period)

    # Inputs.

    def write_input(self, name: str, value: Value) -> None:
        """What an RTDE client sends."""
        self.registers.write(name, value)
        if self._watchdog is not None:
            self._watchdog.see(name)

    def upload(self, text: str) -> None:
        """A complete script from the script port: it replaces the program that runs."""
        if not self.may_be_commanded:
            return self._complain("a script was ignored: the robot is in local control")
        if self.mode != RobotMode.RUNNING or self.safety not in MAY_MOVE:
            return self._complain(f"a script was ignored: {self.mode.name}, {self.safety.name}")
        script = read_script(text)
        if not script.is_ur_rtde:
            return self._complain(
                f"the program '{script.name}' was ignored: the fake runs ur_rtde's control script only"
            )
        self.stop_program()
        self.program_name = script.name
        self._starting = (self.time + START_TIME, script.register_offset)

    def set_watchdog(self, variable: str, frequency: float) -> None:
        """Stop the program if `variable` is written less often than `frequency` [Hz]."""
        self._watchdog = Watchdog(variable, frequency)

    # The program.

    def stop_program(self) -> None:
        """The stop button of the pendant, the dashboard's `stop`, the watchdog, the end of the script."""
        self._program, self._starting, self._watchdog = None, None, None
        self.runtime = RuntimeState.STOPPED

    def pause_program(self) -> bool:
        """Returns whether there was a running program."""
        if self.runtime != RuntimeState.PLAYING:
            return False
        self.runtime = RuntimeState.PAUSED
        return True

    def play(self) -> bool:
        """Let a paused program go on, with the motion that it was paused in; returns whether there was one."""
        if self.runtime != RuntimeState.PAUSED or self.mode != RobotMode.RUNNING or self.safety not in MAY_MOVE:
            return False
        self.runtime = RuntimeState.PLAYING
        if self._program is not None:
            self._program.restart()
        return True

    # Safety and power.

    def protective_stop(self, reason: str = "") -> None:
        """The arm stops at once and the program is paused, until somebody unlocks it."""
        if self.safety in MAY_MOVE:
            self.safety, self._protective_stop_at = SafetyMode.PROTECTIVE_STOP, self.time
            self.pause_program()
            self._complain(f"protective stop {reason}".strip())

    def unlock_protective_stop(self) -> bool:
        """Returns whether it could be unlocked; not within `UNLOCK_DELAY`."""
        if self.safety != SafetyMode.PROTECTIVE_STOP or self.time - self._protective_stop_at < UNLOCK_DELAY:
            return False
        self.safety = SafetyMode.NORMAL
        return True

    def emergency_stop(self) -> None:
        """The red button: the program ends and the arm loses its power."""
        self.power_off()
        self.safety = SafetyMode.ROBOT_EMERGENCY_STOP
        self._complain("emergency stop")

    def release_emergency_stop(self) -> None:
        """The button is turned back; the arm stays without power."""
        if self.safety == SafetyMode.ROBOT_EMERGENCY_STOP:
            self.safety = SafetyMode.NORMAL

    def safeguard_stop(self) -> None:
        """A light curtain is interrupted: the program is paused."""
        if self.safety in MAY_MOVE:
            self.safety = SafetyMode.SAFEGUARD_STOP
            self.pause_program()

    def clear_safeguard_stop(self) -> None:
        """The light curtain is free again: the program goes on, without anybody asking for it."""
        if self.safety == SafetyMode.SAFEGUARD_STOP:
            self.safety = SafetyMode.NORMAL
            self.play()

    def set_remote_control(self, remote: bool) -> None:
        """The switch on the pendant of an e-Series; whoever turns it to local takes over, and the program ends."""
        self.remote_control = remote
        if not self.may_be_commanded:
            self.stop_program()

    def power_on(self) -> None:
        """Powered, brakes on."""
        if self.safety in MAY_MOVE:
            self.power.turn_on()

    def release_brakes(self) -> None:
        """Ready to move; powers on first if need be."""
        if self.safety in MAY_MOVE:
            self.power.release_brakes()

    def power_off(self) -> None:
        """The program ends, the brakes close."""
        self.stop_program()
        self.power.turn_off()

    def state(self) -> dict[str, Value]:
        """All RTDE outputs by name, computed once a tick."""
        if self._state is None:
            self._state = CONSTANTS | self.registers.outputs() | arm_outputs(self.arm)
            self._state |= mode_outputs(self.mode, self.safety, self.runtime)
            self._state["timestamp"] = self.time
        return self._state

    # One tick.

    def _watch(self, period: float) -> None:
        if self._watchdog is not None and self._watchdog.tick(period):
            self._complain(f"watchdog: {self._watchdog.variable} was not written for {self._watchdog.age:.3f} s")
            self.stop_program()

    def _start_program(self) -> None:
        if self._starting is not None and self.time >= self._starting[0]:
            self._program = ControlProgram(self.registers, self.arm, self, offset=self._starting[1])
            self._starting = None
            self.runtime = RuntimeState.PLAYING

    def _run_program(self, program: ControlProgram) -> None:
        try:
            goes_on = program.step()
        except ProgramError as error:
            self._complain(f"program '{self.program_name}': {error}")
            goes_on = False
        if not goes_on:
            self.stop_program()

    def _move(self, period: float) -> None:
        playing = self.runtime == RuntimeState.PLAYING and self._program is not None
        motion = self._program.motion if playing else None  # type: ignore[union-attr]
        if motion is None and self.arm.at_rest:
            return
        rates = (motion or self._halt).step(self.arm, period)
        wrong = self._what_is_wrong(rates, period)
        if wrong:
            self.protective_stop(wrong)
            rates = self._halt.step(self.arm, period)
        self.arm.advance(rates, period)

    def _what_is_wrong(self, rates: Array, period: float) -> str:
        if not np.isfinite(rates).all():
            return "at a singularity"
        if np.abs(rates).max() > MAX_JOINT_SPEED * (1.0 + 1e-6):
            return f"a joint would turn faster than {MAX_JOINT_SPEED:.2f} rad/s"
        if np.abs(self.arm.joints + rates * period).max() > JOINT_LIMIT:
            return "a joint is at its limit"
        return ""

    def _complain(self, text: str) -> None:
        self.last_error, self.last_error_at = text, self.time
        log.warning("%.3f s: %s", self.time, text)

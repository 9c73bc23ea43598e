"""What ur_rtde's control script does on the controller: commands in input registers, answers in output registers.

Source: what `rtde_control.script` of ur_rtde 1.5.8 and of the 1.6.5 wheel does, and what `RTDEControlInterface` waits
for. `input_int_register_0` holds the command, the double registers its arguments; `output_int_register_0` is READY or
DONE. Real-time commands are looked at every cycle while they stand there; any other is carried out once, answered by
DONE, and READY comes back when the client clears the command. Motions of speedL, servoJ and asynchronous moves run in
threads of the script: they go on whatever the register says, and a second motion beside them ends the program.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from kprl_fake_hardware.arm import JOINT_LIMIT, Arm, Array, to_matrix, to_vector
from kprl_fake_hardware.motion import HeldSpeed, Motion, MoveJ, MoveL, ServoJ, Speed, Stop
from kprl_fake_hardware.registers import Registers

READY, DONE = 1, 2
NO_COMMAND, STOP_SCRIPT = 0, 255
TWO_THREADS = "Another thread is already controlling the robot"
_SPEED, _SERVO, _MOVE = "speed", "servo", "move"


class ProgramError(Exception):
    """What ends a program on the controller, in the words that its log would show."""


class ControlProgram:
    """The script from its upload to its end; `step` is one cycle of its main loop."""

    def __init__(self, registers: Registers, arm: Arm, controller: ControllerCalls, offset: int = 0) -> None:
        self._registers, self._arm, self._controller, self._offset = registers, arm, controller, offset
        self.motion: Motion | None = None
        self._thread: str | None = None  # which of the script's threads moves the arm, if one does
        self._waiting = False  # for `motion`, to answer the command that began it
        self._executing = False  # a command that is answered but not cleared yet
        self._stop_of_tool = True  # what speedStop calls: stopl, or stopj after a speedJ
        self._progress_count = self._operation = 0
        self._realtime: dict[int, Callable[[], None]] = {
            9: lambda: self._speed(of_tool=False),
            10: lambda: self._speed(of_tool=True),
            11: lambda: self._servo(self._six(0)),
            24: lambda: self._servo(self._inverse(self._six(0))),
            26: lambda: self._answer_doubles([self._controller.period]),
            38: lambda: self._answer_doubles([0.0] * 6),  # joint torques: nothing has mass here
            58: lambda: self._answer_doubles(Arm(self._arm.joints).tool_pose()),
        }
        self._commands: dict[int, Callable[[], None]] = {
            1: lambda: self._move_j(self._six(0)),
            2: lambda: self._move_j(self._inverse(self._six(0))),
            3: lambda: self._move_l(self._six(0)),
            4: lambda: self._move_l(self._arm.tool_pose(self._six(0))),
            15: lambda: self._end_thread(_SPEED, self._stop_of_tool),
            16: lambda: self._end_thread(_SERVO, of_tool=True),
            17: lambda: None,  # payload: nothing has mass here
            29: lambda: self._arm.set_tcp(self._six(0)),
            30: lambda: self._answer_doubles(self._inverse(self._six(0), self._six(6))),
            31: lambda: self._controller.protective_stop("the program asked for it"),
            33: lambda: self._stop(of_tool=True),
            34: lambda: self._stop(of_tool=False),
            35: self._set_watchdog,
            36: lambda: self._answer_bool(self._arm.inverse(self._six(0)) is not None),
            37: lambda: self._answer_bool(bool((np.abs(self._six(0)) <= JOINT_LIMIT).all())),
            39: lambda: self._answer_doubles(to_vector(to_matrix(self._six(0)) @ to_matrix(self._six(6)))),
            40: lambda: self._answer_doubles(self._arm.tcp),
            43: lambda: self._answer_doubles(self._arm.tool_pose()),
            44: self._forward,
            46: lambda: self._answer_doubles(self._inverse(self._six(0))),
            47: lambda: self._answer_bool(self._arm.at_rest),
            60: lambda: self._answer_bool(self._arm.inverse(self._six(0)) is not None),
            61: lambda: self._answer_bool(self._arm.inverse(self._six(0), self._six(6)) is not None),
        }
        self._signal_progress(None)
        self._signal(READY)

    def step(self) -> bool:
        """One cycle; returns whether the program goes on. Errors: `ProgramError` ends it."""
        if self.motion is not None and self.motion.done:
            self.motion = None
            self._kill(_MOVE)  # an asynchronous move, or stop, has arrived
        if self._waiting:
            if self.motion is not None:
                return True
            self._waiting = False
            self._signal(DONE)
        command = self._registers.ints_in[self._offset]
        if command in self._realtime:
            self._realtime[command]()
            self._signal(READY)
        elif command == NO_COMMAND:
            self._executing = False
            self._signal(READY)
        elif command == STOP_SCRIPT:
            return False
        elif not self._executing:
            self._executing = True
            if command not in self._commands:
                raise ProgramError(f"the fake controller has no command {command} of ur_rtde: see its README")
            self._commands[command]()
            self._waiting = self.motion is not None and self._thread is None
            if not self._waiting:
                self._signal(DONE)
        return True

    def restart(self) -> None:
        """Go on after a pause: what moved the arm moves it again."""
        if self.motion is not None:
            self.motion.restart()

    # The commands.

    def _speed(self, of_tool: bool) -> None:
        wanted = Speed(tuple(self._six(0).tolist()), self._double(6), self._double(7), of_tool)
        self._stop_of_tool = of_tool
        if self._thread == _SPEED and isinstance(self.motion, HeldSpeed):
            self.motion.wanted = wanted
        else:
            self._require_no_thread()
            self.motion, self._thread = HeldSpeed(wanted), _SPEED

    def _servo(self, joints: Array) -> None:
        lookahead = self._double(9)
        if self._thread == _SERVO and isinstance(self.motion, ServoJ):
            self.motion.wanted, self.motion.lookahead = joints, lookahead
        else:
            self._require_no_thread()
            self.motion, self._thread = ServoJ(joints, lookahead), _SERVO

    def _end_thread(self, thread: str, of_tool: bool) -> None:
        self._kill(thread)
        self._require_no_thread()
        self.motion = Stop(self._positive(self._double(0), "deceleration"), of_tool)

    def _stop(self, of_tool: bool) -> None:
        self._end_thread(_MOVE, of_tool)
        if self._int(1):
            self._start_asynchronous()

    def _move_j(self, joints: Array) -> None:
        self._start_move(MoveJ(joints, self._double(6), self._positive(self._double(7), "acceleration")))

    def _move_l(self, pose: Array) -> None:
        self._inverse(pose)  # a target out of reach ends the program before anything moves
        self._start_move(MoveL(pose, self._double(6), self._positive(self._double(7), "acceleration")))

    def _start_move(self, motion: Motion) -> None:
        self._kill(_MOVE)
        self._require_no_thread()
        self.motion = motion
        if self._int(1):
            self._start_asynchronous()

    def _start_asynchronous(self) -> None:
        self._thread = _MOVE
        self._signal_progress(0)

    def _set_watchdog(self) -> None:
        self._controller.set_watchdog(f"input_int_register_{self._offset}", self._double(0))

    def _forward(self) -> None:
        arm = Arm(self._six(0))
        arm.set_tcp(self._six(6))
        self._answer_doubles(arm.tool_pose())

    # Registers.

    def _kill(self, thread: str) -> None:
        """End one of the script's threads, if it runs."""
        if self._thread == thread:
            self.motion, self._thread = None, None
            if thread == _MOVE:
                self._signal_progress(None)

    def _require_no_thread(self) -> None:
        if self._thread is not None:
            raise ProgramError(f"{TWO_THREADS}: its {self._thread} thread")

    def _inverse(self, pose: Array, near: Array | None = None) -> Array:
        joints = self._arm.inverse(pose, near)
        if joints is None:
            raise ProgramError(f"get_inverse_kin: unable to find a solution for {np.round(pose, 3).tolist()}")
        return joints

    def _positive(self, value: float, name: str) -> float:
        if not value > 0.0:
            raise ProgramError(f"{name} {value}: it must be above 0")
        return value

    def _double(self, index: int) -> float:
        return self._registers.doubles_in[self._offset + index]

    def _int(self, index: int) -> int:
        return self._registers.ints_in[self._offset + index]

    def _six(self, index: int) -> Array:
        values = np.array(self._registers.doubles_in[self._offset + index : self._offset + index + 6])
        if not np.isfinite(values).all():
            raise ProgramError(f"an argument is not finite: {values.tolist()}")
        return values

    def _answer_doubles(self, values: Array | list[float]) -> None:
        for index, value in enumerate(values):
            self._registers.doubles_out[self._offset + index] = float(value)

    def _answer_bool(self, value: bool) -> None:
        self._registers.ints_out[self._offset + 1] = int(value)

    def _signal(self, state: int) -> None:
        self._registers.ints_out[self._offset] = state

    def _signal_progress(self, progress: int | None) -> None:
        """Bits 0 to 14 progress, 15 running, 16 to 23 count of changes, 24 to 30 number of the operation."""
        self._progress_count = (self._progress_count + 1) % 128
        self._operation = (self._operation + (progress == 0)) % 128
        running = 0 if progress is None else 1 << 15 | min(progress, 0x7FFF)
        self._registers.ints_out[self._offset + 2] = self._operation << 24 | self._progress_count << 16 | running


class ControllerCalls(Protocol):
    """What the script calls of the controller that runs it."""

    period: float

    def protective_stop(self, reason: str = "") -> None:
        """Stop the arm at once, and say why on the pendant."""

    def set_watchdog(self, variable: str, frequency: float) -> None:
        """Stop the program if `variable` is written less often than `frequency` [Hz]."""

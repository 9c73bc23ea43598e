"""The arm through ur_rtde. The only file that imports it, and only the arm process may import this file.

ur_rtde 1.6.5 answers a broken connection by connecting again and sending its last command once more, from threads of
its own, and often ends in a crash. `seal` makes that impossible: the process can open no socket any more.
"""

from __future__ import annotations

import resource

import numpy as np
from rtde_control import RTDEControlInterface
from rtde_receive import RTDEReceiveInterface

from kprl.control.limits import MAX_LINEAR_ACCELERATION
from kprl.errors import KprlError
from kprl_driver.frames import position_in_base_link, quaternion_in_base_link, twist_in_base
from kprl_driver.pilot import PERIOD, STOP_DECELERATION, Joints, Move, Reading, Rest, Stop, Tool
from kprl_driver.preflight import explain

# The ramp is `safe_velocity`'s; the controller may take twice as much, for two ticks may fall into one of its cycles.
TOOL_ACCELERATION = 2.0 * MAX_LINEAR_ACCELERATION  # [m/s^2]
JOINT_ACCELERATION = 6.0  # [rad/s^2] of a motion home, whose ramp is ours too
UPLOAD_SCRIPT, UPPER_REGISTERS = 1, 8  # flags of RTDEControlInterface
OUTPUTS = ["timestamp", "actual_q", "actual_TCP_pose", "robot_mode", "safety_mode", "runtime_state"]
STANDARD_STREAMS = 3  # descriptors that stay open


class Ur5:
    """A connected arm, at rest, its tool set and its watchdog armed."""

    def __init__(self, host: str, upper_registers: bool, tool_offset: float, watchdog_hz: float) -> None:
        """Connect. May hang, and holds Python's global lock meanwhile. Errors: `KprlError`."""
        flags = UPLOAD_SCRIPT | (UPPER_REGISTERS if upper_registers else 0)
        try:
            self._receive = RTDEReceiveInterface(host, 1.0 / PERIOD, OUTPUTS, False, upper_registers)
            self._control = RTDEControlInterface(host, 1.0 / PERIOD, flags)
            is_set = self._control.setTcp([0.0, 0.0, tool_offset, 0.0, 0.0, 0.0])
            # From here on a controller that hears nothing for so long ends the program, and with it every motion.
            is_set = is_set and self._control.setWatchdog(watchdog_hz)
        except (RuntimeError, ValueError) as error:
            raise KprlError(explain(str(error))) from error
        if not is_set:
            raise KprlError("the controller did not take the tool or the watchdog: see the pendant's log")

    def seal(self) -> None:
        """Let this process open no file and no socket any more; those that are open stay."""
        resource.setrlimit(resource.RLIMIT_NOFILE, (STANDARD_STREAMS, STANDARD_STREAMS))

    def read(self) -> Reading:
        """The newest state."""
        receive = self._receive
        pose = receive.getActualTCPPose()
        return Reading(
            connected=receive.isConnected() and self._control.isConnected(),
            timestamp=receive.getTimestamp(),
            joints=np.array(receive.getActualQ()),
            position=position_in_base_link(pose),
            quaternion=quaternion_in_base_link(pose),
            robot_mode=receive.getRobotMode(),
            safety_mode=receive.getSafetyMode(),
            runtime_state=int(receive.getRuntimeState()),
        )

    def send(self, move: Move) -> bool:
        """Whether the controller took it. Errors: `RuntimeError` where the connection is gone."""
        match move:
            case Tool(linear):
                return bool(self._control.speedL(twist_in_base(linear), TOOL_ACCELERATION, PERIOD))
            case Joints(rates):
                return bool(self._control.speedJ(rates.tolist(), JOINT_ACCELERATION, PERIOD))
            case Stop():
                return self.stop()
            case Rest():
                return bool(self._control.kickWatchdog())

    def stop(self) -> bool:
        """Bring the arm to a standstill and wait for it."""
        return bool(self._control.speedStop(STOP_DECELERATION))

    def end_program(self) -> None:
        """End the control program: only a new one moves the arm then."""
        self._control.stopScript()

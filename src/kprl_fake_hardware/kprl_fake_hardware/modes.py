"""The states that a UR controller reports, with the numbers that it reports them by.

Source: Universal Robots, "RTDE guide" (robot_mode, safety_mode, runtime_state and the two status bit fields).
"""

from __future__ import annotations

from enum import IntEnum


class RobotMode(IntEnum):
    """Power and brakes."""

    POWER_OFF = 3
    POWER_ON = 4
    IDLE = 5  # powered, brakes on
    RUNNING = 7


class SafetyMode(IntEnum):
    """The safety system."""

    NORMAL = 1
    REDUCED = 2
    PROTECTIVE_STOP = 3
    RECOVERY = 4
    SAFEGUARD_STOP = 5
    SYSTEM_EMERGENCY_STOP = 6
    ROBOT_EMERGENCY_STOP = 7
    VIOLATION = 8
    FAULT = 9


class RuntimeState(IntEnum):
    """The program."""

    STOPPING = 0
    STOPPED = 1
    PLAYING = 2
    PAUSING = 3
    PAUSED = 4
    RESUMING = 5


MAY_MOVE = (SafetyMode.NORMAL, SafetyMode.REDUCED)

# Bits of safety_status_bits that are set in a safety mode.
_EMERGENCY_STOPPED, _STOPPED_DUE_TO_SAFETY = 1 << 7, 1 << 10
_SAFETY_BITS = {
    SafetyMode.NORMAL: 1 << 0,
    SafetyMode.REDUCED: 1 << 1,
    SafetyMode.PROTECTIVE_STOP: 1 << 2 | _STOPPED_DUE_TO_SAFETY,
    SafetyMode.RECOVERY: 1 << 3,
    SafetyMode.SAFEGUARD_STOP: 1 << 4 | _STOPPED_DUE_TO_SAFETY,
    SafetyMode.SYSTEM_EMERGENCY_STOP: 1 << 5 | _EMERGENCY_STOPPED | _STOPPED_DUE_TO_SAFETY,
    SafetyMode.ROBOT_EMERGENCY_STOP: 1 << 6 | _EMERGENCY_STOPPED | _STOPPED_DUE_TO_SAFETY,
    SafetyMode.VIOLATION: 1 << 8 | _STOPPED_DUE_TO_SAFETY,
    SafetyMode.FAULT: 1 << 9 | _STOPPED_DUE_TO_SAFETY,
}


def safety_status_bits(mode: SafetyMode) -> int:
    """RTDE variable of that name."""
    return _SAFETY_BITS[mode]


def robot_status_bits(mode: RobotMode, runtime: RuntimeState) -> int:
    """RTDE variable of that name: bit 0 power on, bit 1 program running, bit 3 power button pressed (never here)."""
    powered = mode in (RobotMode.POWER_ON, RobotMode.IDLE, RobotMode.RUNNING)
    return int(powered) | int(runtime == RuntimeState.PLAYING) << 1

"""Whether a controller may be sent motions, and what a person must do where it may not. Pure.

Numbers and names: Universal Robots, "RTDE guide" (robot_mode, safety_mode, runtime_state).
"""

from __future__ import annotations

RUNNING = 7  # robot mode: power on, brakes released
PLAYING = 2  # runtime state: the program runs
SAFETY_MODES = {
    "NORMAL": 1,
    "REDUCED": 2,
    "PROTECTIVE_STOP": 3,
    "RECOVERY": 4,
    "SAFEGUARD_STOP": 5,
    "SYSTEM_EMERGENCY_STOP": 6,
    "ROBOT_EMERGENCY_STOP": 7,
    "VIOLATION": 8,
    "FAULT": 9,
}
MAY_MOVE = (1, 2)
RECOVER = "then call /driver/recover"
_EMERGENCY = f"release the button, power the arm on and release its brakes on the pendant, {RECOVER}"
_WHAT_TO_DO = {
    3: f"protective stop: look for its cause, unlock it on the pendant, {RECOVER}",
    4: f"the arm is beyond its safety limits: move it back in recovery mode on the pendant, {RECOVER}",
    5: f"safeguard stop: leave the safeguarded area and reset the safeguard, {RECOVER}",
    6: f"emergency stop of the system: {_EMERGENCY}",
    7: f"emergency stop: {_EMERGENCY}",
    8: f"safety violation: see the pendant, restart its safety system, {RECOVER}",
    9: f"safety fault: see the pendant, restart its safety system, {RECOVER}",
}
PROGRAM_ENDED = (
    "the control program on the controller ended: it was stopped on the pendant, by another client, or by the "
    f"controller's watchdog because this machine was too busy to talk to it; see the pendant's log, {RECOVER}"
)
LOCAL_CONTROL = f"the robot is in local control: switch it to remote control on the pendant, {RECOVER}"


def why_unsafe(safety_mode: int) -> str:
    """What stops the arm by its safety mode, and what to do; empty where nothing does."""
    if safety_mode in MAY_MOVE:
        return ""
    return _WHAT_TO_DO.get(safety_mode, f"unknown safety mode {safety_mode}: see the pendant, {RECOVER}")


def why_unpowered(robot_mode: int) -> str:
    """Why the arm cannot move by its robot mode, and what to do; empty where it can."""
    if robot_mode == RUNNING:
        return ""
    return f"the arm has no power or its brakes are on: power it on and release the brakes on the pendant, {RECOVER}"


def why_standing(robot_mode: int, safety_mode: int, runtime_state: int) -> str:
    """Why no motion can be sent, and what to do; empty where it can. The safety mode is the cause of the others."""
    ended = "" if runtime_state == PLAYING else PROGRAM_ENDED
    return why_unsafe(safety_mode) or why_unpowered(robot_mode) or ended

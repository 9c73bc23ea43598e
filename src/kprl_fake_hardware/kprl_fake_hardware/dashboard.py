"""The dashboard server's commands: one line in, one line out.

Source: Universal Robots, "Dashboard server" for the e-Series and CB3; the answers that ur_rtde compares are exact.
"""

from __future__ import annotations

from collections.abc import Callable

from kprl_fake_hardware.modes import RuntimeState, SafetyMode
from kprl_fake_hardware.robot import Robot

GREETING = "Connected: Universal Robots Dashboard Server"
QUIT, GOODBYE = "quit", "Disconnected"
SERIAL_NUMBER = "20195500001"
# What a robot in local control refuses; it still tells how it is.
_ORDERS = (
    "play",
    "stop",
    "pause",
    "power on",
    "power off",
    "brake release",
    "unlock protective stop",
    "restart safety",
)


class Dashboard:
    """What the dashboard server answers about, and does to, one robot."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._answers: dict[str, Callable[[], str]] = {
            "play": self._play,
            "stop": self._stop,
            "pause": self._pause,
            QUIT: lambda: GOODBYE,
            "running": lambda: f"Program running: {str(robot.runtime == RuntimeState.PLAYING).lower()}",
            "robotmode": lambda: f"Robotmode: {robot.mode.name}",
            "safetymode": lambda: f"Safetymode: {robot.safety.name}",
            "safetystatus": lambda: f"Safetystatus: {robot.safety.name}",
            "programState": self._program_state,
            "get loaded program": lambda: "No program loaded",
            "isProgramSaved": lambda: f"true {robot.program_name}".rstrip(),
            "power on": self._power_on,
            "power off": self._power_off,
            "brake release": self._release_brakes,
            "unlock protective stop": self._unlock_protective_stop,
            "restart safety": self._restart_safety,
            "close popup": lambda: "closing popup",
            "close safety popup": lambda: "closing safety popup",
            "PolyscopeVersion": self._version,
            "get robot model": lambda: "UR5",
            "get serial number": lambda: SERIAL_NUMBER,
            "is in remote control": lambda: str(robot.remote_control).lower(),
        }
        self._answers_with_text = {
            "popup ": "showing popup",
            "addToLog ": "Added log message",
            "setUserRole ": "Setting user role",
        }

    def answer(self, line: str) -> str:
        """The answer to one command, without the end of line."""
        command = line.strip()
        if command in _ORDERS and not self._robot.may_be_commanded:
            return f"Failed to execute: {command}"
        if command in self._answers:
            return self._answers[command]()
        for start, answer in self._answers_with_text.items():
            if command.startswith(start):
                return answer
        if command.startswith("load "):
            return f"File not found: {command.removeprefix('load ')}"
        return f'could not understand: "{command}"'

    def _play(self) -> str:
        return "Starting program" if self._robot.play() else "Failed to execute: play"

    def _stop(self) -> str:
        self._robot.stop_program()
        return "Stopped"  # also where nothing ran: ur_rtde asks for it then too

    def _pause(self) -> str:
        return "Pausing program" if self._robot.pause_program() else "Failed to execute: pause"

    def _program_state(self) -> str:
        names = {RuntimeState.PLAYING: "PLAYING", RuntimeState.PAUSED: "PAUSED"}
        return f"{names.get(self._robot.runtime, 'STOPPED')} {self._robot.program_name or '<unnamed>'}"

    def _power_on(self) -> str:
        self._robot.power_on()
        return "Powering on"

    def _power_off(self) -> str:
        self._robot.power_off()
        return "Powering off"

    def _release_brakes(self) -> str:
        self._robot.release_brakes()
        return "Brake releasing"

    def _unlock_protective_stop(self) -> str:
        if self._robot.unlock_protective_stop():
            return "Protective stop releasing"
        return (
            "Cannot unlock protective stop until 5s after occurrence. "
            "Always inspect cause of protective stop before unlocking"
        )

    def _restart_safety(self) -> str:
        if self._robot.safety in (SafetyMode.FAULT, SafetyMode.VIOLATION):
            self._robot.power_off()
            self._robot.safety = SafetyMode.NORMAL
        return "Restarting safety"

    def _version(self) -> str:
        major, minor, bugfix, build = self._robot.version
        return f"URSoftware {major}.{minor}.{bugfix}.{build} (Mar 16 2022)"

"""A port at which faults are injected from another process: the fake's own, no robot has one.

One line in, `NAME [ARGUMENT]`, where NAME is a method of the server's faults; one line of JSON out, `{"ok": true}` or
`{"ok": false, "error": …}`. `state` answers with the truth about the hardware; a fake may know more such questions.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from inspect import signature
from typing import Any

from kprl.errors import KprlError
from kprl_fake_hardware.gripper import Gripper
from kprl_fake_hardware.lines import LineSession
from kprl_fake_hardware.robot import Robot


class Pendant:
    """Calls the methods of `faults` by name, and answers `questions`."""

    def __init__(self, faults: object, **questions: Callable[[], dict[str, Any]]) -> None:
        self._faults, self._questions = faults, questions
        self.names = sorted(name for name in dir(faults) if not name.startswith("_"))

    def session(self) -> LineSession:
        """For one client."""
        return LineSession(lambda line: json.dumps(self.answer(line)) + "\n")

    def answer(self, line: str) -> dict[str, Any]:
        """The answer to one line."""
        name, *arguments = line.split(maxsplit=1) or [""]
        if name in self._questions:
            return {"ok": True, name: self._questions[name]()}
        if name not in self.names:
            return {"ok": False, "error": f"no fault '{name}': expected {', '.join([*self._questions, *self.names])}"}
        method = getattr(self._faults, name)
        kinds = [parameter.annotation for parameter in signature(method).parameters.values()]
        try:
            method(*(_READERS[kind](text) for kind, text in zip(kinds, arguments, strict=False)))
        except (TypeError, ValueError, KprlError) as error:
            return {"ok": False, "error": str(error)}
        return {"ok": True}


# By annotation, which is text where annotations are postponed.
_READERS: dict[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda text: text == "true",
}


def robot_state(robot: Robot) -> dict[str, Any]:
    """The truth about a robot, in the units and frames of RTDE."""
    names = ("timestamp", "actual_q", "actual_qd", "actual_TCP_pose", "actual_TCP_speed")
    state = robot.state()
    return {name: state[name] for name in names} | {
        "robot_mode": robot.mode.name,
        "safety_mode": robot.safety.name,
        "runtime_state": robot.runtime.name,
        "last_error": robot.last_error,
        "last_error_at": robot.last_error_at,
    }


def gripper_state(gripper: Gripper) -> dict[str, Any]:
    """The truth about a gripper."""
    return {
        "opening": gripper.opening,
        "holds_object": gripper.fingers.holds_object,
        "status": gripper.status.name,
        "object_status": gripper.object_status.name,
        "fault": gripper.fault.name,
    }

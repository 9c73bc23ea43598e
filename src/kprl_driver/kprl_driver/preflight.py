"""What is asked of a controller before ur_rtde is: its own questions have no time-outs, and no answers in words.

ur_rtde also leaves out the question for remote control where the robot is at 127.0.0.1.
"""

from __future__ import annotations

import re
import socket
import struct
from collections.abc import Callable

from kprl.errors import KprlError
from kprl_driver.condition import LOCAL_CONTROL, RECOVER, SAFETY_MODES, why_unpowered, why_unsafe
from kprl_driver.dashboard import Dashboard, connect

SCRIPT_PORT, RTDE_PORT = 30003, 30004
HANG_TIMEOUT = 0.3  # [s] for each question after a hang: the node asks it, and hears nothing else meanwhile
RTDE_TIMEOUT = 2.0  # [s] for the answer to the first question
PROTOCOL_VERSION_2 = struct.pack(">HBH", 5, ord("V"), 2)
CB3, E_SERIES = 3, 5  # major versions of the controller's software
OLDEST_CB3 = (3, 3)  # before it RTDE lacks what ur_rtde needs


def inspect(host: str, stage: Callable[[str], None]) -> tuple[Dashboard, str]:
    """Ask whether the robot can be driven; its dashboard, and what it is in a few words.

    `stage` hears what is asked at the moment. Errors: `KprlError` with what a person must do.
    """
    stage(f"asking the dashboard server of {host}")
    dashboard = Dashboard(host)
    try:
        major, version = require_version(dashboard.ask("PolyscopeVersion"))
        if major == E_SERIES and dashboard.ask("is in remote control") == "false":
            raise KprlError(LOCAL_CONTROL)
        require_mode(dashboard.ask("safetymode"), dashboard.ask("robotmode"))
        stage(f"asking the RTDE server of {host}")
        require_rtde(host)
        connect(host, SCRIPT_PORT, "script").close()
    except KprlError:
        dashboard.close()
        raise
    return dashboard, f"{'CB3' if major == CB3 else 'e-Series'} controller {version} at {host}"


def why_hung(host: str) -> str:
    """What the dashboard says is wrong with the robot; empty where nothing is, or it does not say. Takes 1.2 s at most.

    ur_rtde waits for ever for an answer of a program that a safeguard stop has paused.
    """
    try:
        dashboard = Dashboard(host, HANG_TIMEOUT)
    except KprlError:
        return ""
    try:
        answers = [dashboard.ask(question, HANG_TIMEOUT) for question in ("safetymode", "robotmode")]
    except KprlError:
        return ""
    finally:
        dashboard.close()
    try:
        require_mode(*answers)
    except KprlError as error:
        return str(error)
    return ""


def require_version(answer: str) -> tuple[int, str]:
    """Major version and the whole of it, from the dashboard's answer. Errors: `KprlError`."""
    found = re.search(r"(\d+)\.(\d+)\.\d+(\.\d+)?", answer)
    if found is None:
        raise KprlError(f"the dashboard tells no version: {answer[:60]!r}; is robot_ip a UR controller?")
    major, minor = int(found[1]), int(found[2])
    if major not in (CB3, E_SERIES) or (major == CB3 and (major, minor) < OLDEST_CB3):
        raise KprlError(
            f"the controller's software is {found[0]}: expected 3.{OLDEST_CB3[1]} or later on a CB3, 5 on an e-Series"
        )
    return major, found[0]


def require_mode(safety: str, mode: str) -> None:
    """Check 'Safetymode: NORMAL' and 'Robotmode: RUNNING'. Errors: `KprlError` with what to do."""
    name = safety.partition(":")[2].strip()
    reason = why_unsafe(SAFETY_MODES.get(name, 0)) if name in SAFETY_MODES else f"unknown safety mode: {safety!r}"
    reason = reason or ("" if mode.endswith(": RUNNING") else why_unpowered(0))
    if reason:
        raise KprlError(reason)


def require_rtde(host: str) -> None:
    """Check that port 30004 speaks RTDE. Errors: `KprlError`."""
    where = f"{host}:{RTDE_PORT} (RTDE)"
    with connect(host, RTDE_PORT, "RTDE") as connection:
        connection.settimeout(RTDE_TIMEOUT)
        try:
            connection.sendall(PROTOCOL_VERSION_2)
            answer = _read(connection, 4)
        except TimeoutError:
            raise KprlError(
                f"{where} accepted the connection and said nothing for {RTDE_TIMEOUT:g} s: restart the controller"
            ) from None
        except OSError as error:
            raise KprlError(f"{where} broke the connection ({error}): is it a UR controller?") from error
    if answer != b"\x00\x04V\x01":
        raise KprlError(f"{where} answers with {answer!r}, which is no RTDE: is robot_ip a UR controller?")


def explain(error: str) -> str:
    """What ur_rtde says when it cannot begin, as what a person can do."""
    if "already in use" in error:
        return (
            "the controller's input registers are in use: end the other program that controls the robot, or disable "
            f"the fieldbus adapter (EtherNet/IP, Profinet, Modbus), or set upper_registers:=true; {RECOVER}"
        )
    if "remote control" in error.lower():
        return LOCAL_CONTROL
    return f"ur_rtde cannot begin: {' '.join(error.split())}"


def _read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            break
        data += more
    return data

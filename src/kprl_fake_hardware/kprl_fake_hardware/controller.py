"""The UR controller on the network: dashboard, script port and RTDE around one `Robot`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from kprl_fake_hardware.arm import HOME, Array
from kprl_fake_hardware.dashboard import GOODBYE, GREETING, Dashboard
from kprl_fake_hardware.faults import ControllerFaults
from kprl_fake_hardware.lines import LineSession
from kprl_fake_hardware.machine import Machine
from kprl_fake_hardware.robot import Robot
from kprl_fake_hardware.rtde_session import RtdeSession
from kprl_fake_hardware.script_session import ScriptSession
from kprl_fake_hardware.tcp_server import Goodbye, Session, TcpServer

LOOPBACK = "127.0.0.1"
CB3 = (3, 15, 8, 106339)
E_SERIES = (5, 11, 1, 108318)


@dataclass(frozen=True)
class Ports:
    """Those of a real controller, which ur_rtde has fixed; 0 takes a free one.

    Two controllers run side by side at two loopback addresses, 127.0.0.1 and 127.0.0.2.
    """

    dashboard: int = 29999
    script: int = 30003
    rtde: int = 30004


class UrController(Machine):
    """A UR5 that is reachable as soon as it is made and started."""

    def __init__(
        self,
        host: str = LOOPBACK,
        ports: Ports = Ports(),  # noqa: B008, it is frozen
        version: tuple[int, int, int, int] = CB3,
        joints: Array = HOME,
        lock: threading.RLock | None = None,
    ) -> None:
        self.robot = Robot(version, joints)
        dashboard = Dashboard(self.robot)
        self.servers: dict[str, TcpServer] = {}
        makers: dict[str, Callable[[], Session]] = {
            "dashboard": lambda: LineSession(lambda line: _dashboard_line(dashboard, line), f"{GREETING}\n"),
            "script": lambda: ScriptSession(self.robot),
            "rtde": lambda: RtdeSession(self.robot),
        }
        try:
            for name, make_session in makers.items():
                self.servers[name] = TcpServer(host, getattr(ports, name), make_session)
        except OSError:
            for server in self.servers.values():
                server.close()
            raise
        super().__init__(list(self.servers.values()), self.robot.tick, self.robot.period, lock)
        self.faults = ControllerFaults(self.robot, self.servers, self.lock)


def _dashboard_line(dashboard: Dashboard, line: str) -> str:
    answer = dashboard.answer(line)
    if answer == GOODBYE:
        raise Goodbye(f"{answer}\n".encode())
    return f"{answer}\n"

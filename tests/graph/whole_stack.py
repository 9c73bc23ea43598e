"""The whole real stack on fake hardware: a workcell in this process, the nodes as processes."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from diagnostic_msgs.msg import DiagnosticArray
from graph_processes import Graph, Process, environment, open_graph
from kprl_interfaces.msg import KeypointArray, RobotStatus
from kprl_interfaces.srv import ResetEpisode
from std_srvs.srv import SetBool, Trigger

sys.path.insert(0, str(Path(__file__).parents[1] / "driver"))  # machines
from machines import Truth, next_address  # noqa: E402

from kprl_fake_hardware.fake_camera_node import CAMERA_PENDANT  # noqa: E402
from kprl_fake_hardware.workcell import Workcell  # noqa: E402
from kprl_ros import topics  # noqa: E402
from kprl_ros.topics import LATCHED, STREAM  # noqa: E402

OFFSET = 7  # of the domain
START_TIMEOUT = 60.0  # [s] for a node on a machine under load
TRAVEL = 0.15  # [s] of motion before the fault: the walls of the workspace are 0.5 s away
STILL = 1.0  # [s] in which it must not move again


class Stack:
    """A workcell in this process, the nodes as processes, a policy with random weights that moves the arm."""

    def __init__(self, graph: Graph, cell: Workcell, bundle: Path, folder: Path) -> None:
        self.graph, self._cell, self._bundle, self._folder = graph, cell, bundle, folder
        self.address = cell.controller.servers["rtde"].address[0]
        self.truth = Truth(cell.controller)
        self.statuses: list[RobotStatus] = graph.listen(RobotStatus, topics.ROBOT_STATUS, LATCHED)
        self.diagnostics: list[DiagnosticArray] = graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
        self.keypoints: list[KeypointArray] = graph.listen(KeypointArray, topics.KEYPOINTS, STREAM)
        graph.start("driver_node", robot_ip=self.address, goal="0.5,0.0,0.15")
        self.start_camera()
        self.start("keypoint_node")
        self.start("policy_node")
        self._await(lambda: self.keypoints, "keypoints")
        self._await(self._driver_is_idle, "the driver")

    def _await(self, condition: object, what: str) -> None:
        self.graph.wait(condition, what, START_TIMEOUT)  # type: ignore[arg-type]

    def _driver_is_idle(self) -> bool:
        """Recovers it where need be: three starting nodes may starve the arm's process, and tests/driver has that."""
        if not self.statuses:
            return False
        status = self.statuses[-1]
        if "/driver/recover" in status.reason:
            print(status.reason)
            self.statuses.clear()
            self.graph.call(Trigger, topics.DRIVER_RECOVER, Trigger.Request())
            return False
        return bool(status.mode == RobotStatus.MODE_IDLE)

    def start(self, name: str) -> None:
        is_keypoints = name == "keypoint_node"
        parameters = {"model": self._bundle, "most_repeats": 2} if is_keypoints else {"bundle": self._bundle}
        log = self.graph.start(name, **parameters).log
        self._await(lambda: " bundle " in log.read_text() or "keypoints from" in log.read_text(), name)

    def start_camera(self) -> None:
        log = self._folder / "camera.log"
        command = [sys.executable, "-m", "kprl_fake_hardware.fake_camera_node", "--world", self.address]
        with log.open("w") as file:
            popen = subprocess.Popen(command, env=environment(self.graph.domain), stdout=file, stderr=file, text=True)
        self.graph.processes["camera_node"] = Process(popen, log)

    def order(self, line: str) -> None:
        """To the camera's pendant."""
        with socket.create_connection((self.address, CAMERA_PENDANT), 5.0) as pendant:
            pendant.sendall(f"{line}\n".encode())
            assert json.loads(pendant.makefile().readline())["ok"]

    def move(self) -> None:
        """Home, then the policy acts."""
        answer = self.graph.call(ResetEpisode, topics.RESET_EPISODE, ResetEpisode.Request())
        if not answer.success:  # a machine under load may starve the arm's process: tests/driver has that fault
            print(answer.message)
            self._await(lambda: self.graph.call(Trigger, topics.DRIVER_RECOVER, Trigger.Request()).success, "recovery")
            answer = self.graph.call(ResetEpisode, topics.RESET_EPISODE, ResetEpisode.Request())
        assert answer.success, answer.message
        self._enable(True)
        self.graph.wait(self.truth.is_moving, "the arm moves")
        self.graph.spin(TRAVEL)
        assert self.truth.is_moving()

    def _enable(self, enabled: bool) -> None:
        """Ask until it is answered: on a machine under load that may take two questions."""
        client = self.graph.node.create_client(SetBool, topics.POLICY_ENABLE)

        def is_answered() -> bool:
            answer = client.call_async(SetBool.Request(data=enabled))
            self.graph.spin(1.0, answer)
            return answer.done()

        self._await(is_answered, topics.POLICY_ENABLE)
        self.graph.node.destroy_client(client)

    def standstill(self, began: float) -> float:
        """How long [s] after `began`, by the controller's clock, the arm moved for the last time."""
        self.graph.spin(STILL)
        moved_at = self.truth.moved_at
        self.graph.spin(STILL)
        assert self.truth.moved_at == moved_at and not self.truth.is_moving()
        return moved_at - began

    def said(self) -> str:
        """All that was said on /diagnostics and /robot_status."""
        lines = [status.message for message in self.diagnostics for status in message.status]
        return "\n".join([*lines, *(status.reason for status in self.statuses)])

    def mend(self) -> None:
        """As before the fault: images come."""
        before = len(self.keypoints)
        self._await(self._has_mended, "the camera's pendant")
        self._await(lambda: len(self.keypoints) > before + 5, "images again")
        self._enable(False)
        self.diagnostics.clear()
        self.statuses.clear()

    def _has_mended(self) -> bool:
        try:
            self.order("mend")
        except OSError:
            return False
        return True


@contextmanager
def open_stack(bundle: Path, folder: Path) -> Iterator[Stack]:
    """A stack that is ready."""
    with ExitStack() as undo:
        cell = undo.enter_context(Workcell(host=next_address(), seed=1))
        graph = undo.enter_context(open_graph(OFFSET, folder))
        yield Stack(graph, cell, bundle, folder)

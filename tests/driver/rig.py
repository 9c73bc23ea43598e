"""The driver node as a process with fake machines, and whoever commands and hears it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped, TwistStamped
from graph_processes import Graph, Process
from kprl_interfaces.msg import GripperCommand, RobotStatus
from kprl_interfaces.srv import ResetEpisode
from machines import Truth, next_address
from rclpy.task import Future
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from kprl.action import GRIPPER_FORCE, Command
from kprl_fake_hardware.controller import CB3, UrController
from kprl_fake_hardware.gripper_server import RobotiqServer
from kprl_fake_hardware.modes import SafetyMode
from kprl_fake_hardware.robot import UNLOCK_DELAY
from kprl_ros import topics
from kprl_ros.robot_messages import gripper_command, twist
from kprl_ros.stamps import to_stamp
from kprl_ros.topics import LATCHED, STREAM

DOMAINS = range(1, 102)  # see graph_processes.py
COMMAND_PERIOD = 0.033  # [s] of a camera with 30 images a second
START_TIMEOUT = 30.0  # [s] for a node on a machine under load
ANSWER_TIMEOUT = 20.0  # [s] for a service that moves the robot
_taken = 50 + os.getpid() % len(DOMAINS)


def next_domain() -> int:
    """A domain that no other test of this session uses."""
    global _taken
    _taken += 1
    return DOMAINS[_taken % len(DOMAINS)]


class Rig:
    """One robot, one node, one who commands: `velocity` (3,) [m/s] is sent 30 times a second, None: nothing is."""

    def __init__(
        self, folder: Path, version: tuple[int, int, int, int] = CB3, **parameters: Any
    ) -> None:
        self.address = next_address()
        self.controller = UrController(self.address, version=version)
        self.gripper = RobotiqServer(self.address)
        self.controller.start()
        self.gripper.start()
        self.truth = Truth(self.controller)
        self.graph = Graph(next_domain(), folder)
        self._parameters = parameters
        self.velocity: np.ndarray | None = None
        self.last_command = -1.0  # [s] the controller's time of the last valid one
        self.statuses: list[RobotStatus] = self.graph.listen(RobotStatus, topics.ROBOT_STATUS, LATCHED)
        self.poses: list[PoseStamped] = self.graph.listen(PoseStamped, topics.EE_POSE, STREAM)
        self.joints: list[JointState] = self.graph.listen(JointState, topics.JOINT_STATES, STREAM)
        self.applied: list[TwistStamped] = self.graph.listen(TwistStamped, topics.EE_TWIST_APPLIED, STREAM)
        self.diagnostics: list[DiagnosticArray] = self.graph.listen(DiagnosticArray, topics.DIAGNOSTICS, STREAM)
        node = self.graph.node
        self._twist = node.create_publisher(TwistStamped, topics.EE_TWIST_CMD, STREAM)
        self._grip = node.create_publisher(GripperCommand, topics.GRIPPER_CMD, STREAM)
        self._clients = {
            name: node.create_client(kind, name)
            for name, kind in (
                (topics.DRIVER_STOP, Trigger),
                (topics.DRIVER_RECOVER, Trigger),
                (topics.RESET_EPISODE, ResetEpisode),
            )
        }
        node.create_timer(COMMAND_PERIOD, self._command)

    def start(self, *modes: int) -> Process:
        """Start the node and wait until it is ready, or in one of these modes."""
        self.statuses.clear()
        process = self.graph.start("driver_node", robot_ip=self.address, **self._parameters)
        self.graph.wait(lambda: self.mode in (RobotStatus.MODE_IDLE, *modes), "the driver is ready", START_TIMEOUT)
        return process

    @property
    def process(self) -> Process:
        """The node."""
        return self.graph.processes["driver_node"]

    @property
    def status(self) -> RobotStatus:
        """The newest."""
        return self.statuses[-1] if self.statuses else RobotStatus(mode=255)

    @property
    def mode(self) -> int:
        """The newest mode."""
        return int(self.status.mode)

    @property
    def arm_pid(self) -> int:
        """Of the arm process: the node's only child."""
        children = Path(f"/proc/{self.process.popen.pid}/task/{self.process.popen.pid}/children").read_text().split()
        assert len(children) == 1, children
        return int(children[0])

    def counts(self) -> dict[str, int]:
        """The newest counters of the node."""
        whole = [message for message in self.diagnostics if message.status[0].name == "/driver_node"]
        values = whole[-1].status[0].values if whole else []
        return {value.key: int(value.value) for value in values if value.value.isdigit()}

    def spin(self, seconds: float) -> None:
        """Handle messages, and command, for a while."""
        self.graph.spin(seconds)

    def wait(self, condition: Callable[[], Any], what: str, timeout: float = 10.0) -> Any:
        """Handle messages, and command, until `condition()` is true."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"not within {timeout} s: {what}\n{self.story()}"
            self.graph.spin(0.01)
        return condition()

    def ask(self, name: str, timeout: float = ANSWER_TIMEOUT) -> Any:
        """Call one of the driver's services and wait for the answer."""
        future = self.begin(name)
        self.wait(future.done, f"{name} answers", timeout)
        return future.result()

    def begin(self, name: str) -> Future[Any]:
        """Call one of the driver's services."""
        client = self._clients[name]
        self.wait(client.service_is_ready, f"{name} is there")
        request = ResetEpisode.Request() if name == topics.RESET_EPISODE else Trigger.Request()
        return client.call_async(request)

    def publish(self, message: TwistStamped) -> None:
        """Send a velocity as it is."""
        self._twist.publish(message)

    def twist(self, linear: np.ndarray, age: float = 0.0) -> TwistStamped:
        """A velocity (3,) [m/s] with a stamp `age` [s] old."""
        now = self.graph.node.get_clock().now().nanoseconds - round(age * 1e9)
        return twist(linear, to_stamp(now))

    def grip(self, opening: float, speed: float = 0.15) -> None:
        """Ask for an opening [m]."""
        command = Command(np.zeros(3), opening, speed, GRIPPER_FORCE)
        self._grip.publish(gripper_command(command, self.graph.node.get_clock().now().to_msg()))

    def drive(self, linear: np.ndarray, seconds: float = 0.4) -> None:
        """Command a velocity until the arm moves and so long beyond, and go on commanding it."""
        self.velocity = linear
        self.wait(self.truth.is_moving, "the arm moves")
        self.spin(seconds)

    def reason(self, mode: int, timeout: float = 3.0) -> str:
        """Wait for a mode with a reason; returns the reason."""
        self.wait(lambda: self.mode == mode and self.status.reason, f"mode {mode} with a reason", timeout)
        return str(self.status.reason)

    def home(self) -> None:
        """Reset."""
        self.velocity = None
        answer = self.ask(topics.RESET_EPISODE)
        assert answer.success, f"{answer.message}\n{self.story()}"

    def mend(self) -> None:
        """Do what a person does after whatever went wrong, and recover."""
        clear(self.controller, self.gripper)
        self.wait(lambda: self.controller.robot.mode.name == "RUNNING", "the arm has power")
        for _ in range(3):
            answer = self.ask(topics.DRIVER_RECOVER)
            if answer.success:
                return
            self.spin(0.3)
        raise AssertionError(f"it does not come back: {answer.message}\n{self.story()}")

    def story(self) -> str:
        """What happened, for a failure's message."""
        said = "\n".join(f"{status.mode} {status.reason}" for status in self.statuses[-12:])
        return f"{said}\ncontroller: {self.controller.robot.last_error}\n{self.process.log.read_text()[-3000:]}"

    def close(self) -> None:
        """End everything."""
        self.velocity = None
        self.graph.close()
        self.controller.stop()
        self.gripper.stop()

    def _command(self) -> None:
        if self.velocity is not None:
            self.last_command = self.truth.now()
            self.publish(self.twist(self.velocity))


def clear(controller: UrController, gripper: RobotiqServer) -> None:
    """What a person does at robot and gripper; the five seconds after a protective stop are taken as over."""
    for faults in (controller.faults, gripper.faults):
        faults.restore_network()
    controller.faults.registers_free()
    controller.faults.remote_control()
    controller.faults.release_emergency_stop()
    controller.faults.clear_safeguard_stop()
    gripper.faults.restore_power()
    gripper.faults.fail_activation(False)
    gripper.faults.unblock_opening()
    gripper.faults.slip()
    with controller.lock:
        robot = controller.robot
        if robot.safety == SafetyMode.PROTECTIVE_STOP:
            robot.time += UNLOCK_DELAY
            robot.unlock_protective_stop()
        robot.power_on()
        robot.release_brakes()


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    """Send a signal to one process."""
    os.kill(pid, number)


@contextmanager
def open_rig(folder: Path, **arguments: Any) -> Iterator[Rig]:
    """A node that is ready."""
    rig = Rig(folder, **arguments)
    try:
        rig.start()
        yield rig
    finally:
        rig.close()

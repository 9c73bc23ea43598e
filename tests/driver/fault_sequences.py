"""Random sequences of faults, commands and services against the driver node, and what must hold whatever comes.

Nothing moves that nobody asked for, the arm stands within the limits, every service answers, a stop has its reason in
words, and /driver/recover brings the robot back once its causes are gone.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from kprl_interfaces.msg import RobotStatus
from machines import STANDSTILL, WATCHDOG_STANDSTILL
from rclpy.task import Future
from rig import Rig, clear, kill

from kprl_ros import topics

TRANSPORT = 0.03  # [s] that a message may be on its way on a busy machine
GRIPPER_NOTICED = 0.6  # [s] an exchange's time-out, and what it takes to hear of it
SPEEDS = (0.03, 0.25)  # [m/s]
REASON_TIMEOUT = 3.0  # [s] for a fault to be told
COMEBACK_TIMEOUT = 15.0  # [s] for /driver/recover to succeed once everything is mended
CENTRE = np.array([0.5, 0.0, 0.14])  # [m]
LIMIT = {"robot": WATCHDOG_STANDSTILL, "process": WATCHDOG_STANDSTILL, "gripper": GRIPPER_NOTICED}


class Sequence:
    """One sequence: `run`, then `mend`. `log` is what to print when something does not hold."""

    def __init__(self, rig: Rig, seed: int) -> None:
        self._rig, self._random = rig, random.Random(seed)
        self.log = [f"seed {seed}"]
        self._may_move = True
        self._must_be_told = False
        self._reset: Future[Any] | None = None
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._spoilt = ""
        self._suspended = False
        self._is_killed = False
        self._orphan = 0  # process number of the arm process of a node that was killed
        self._events: dict[str, Callable[[], None]] = {
            **{
                f"robot {name}": lambda name=name: self._break_robot(name)
                for name in ("protective_stop", "emergency_stop", "safeguard_stop", "stop_program", "drop_connections",
                             "refuse", "go_silent", "drop_connections rtde", "refuse dashboard")
            },
            **{
                f"gripper {name}": lambda name=name: self._break_gripper(name)
                for name in ("lose_activation", "fail", "cut_power", "go_silent", "refuse", "drop_connections")
            },
            "short silence": self._short_silence,
            "arm process killed": lambda: self._process(signal.SIGKILL),
            "arm process crashes": lambda: self._process(signal.SIGSEGV),
            "arm process hangs": lambda: self._process(signal.SIGSTOP),
            "arm process hangs for a moment": self._short_hang,
            "node hangs for a moment": self._node_hangs,
            "node killed": self._kill_node,
            "commands end": lambda: self._spoil("none"),
            "commands are not numbers": lambda: self._spoil("nan"),
            "commands are stale": lambda: self._spoil("stale"),
            "commands are in another frame": lambda: self._spoil("frame"),
            "somebody stops": self._stop,
            "somebody resets": self._begin_reset,
            "somebody recovers": self._recover,
            "an object slips": lambda: rig.gripper.faults.slip(),
        }  # fmt: skip

    def run(self, names: list[str] | None = None) -> None:
        """Command random velocities, and let these things happen meanwhile, or one to three that are drawn."""
        self._aim()
        self._go(self._random.uniform(0.1, 0.3))
        for name in names or self._random.choices(list(self._events), k=self._random.choice((1, 1, 2, 2, 3))):
            self.log.append(name)
            self._events[name]()
            self._go(self._random.uniform(0.0, 0.25))
        self._go(0.35)
        if self._must_be_told and not self._is_killed:
            self._until(self._is_told, REASON_TIMEOUT, "a reason in words")
        if self._reset is not None:
            self._until(self._reset.done, COMEBACK_TIMEOUT, "the reset is answered")

    def mend(self) -> None:
        """A person clears everything: nothing moves by that; then recover, and it moves again."""
        rig = self._rig
        if self._must_be_told:
            self._forbid(WATCHDOG_STANDSTILL)
        clear(rig.controller, rig.gripper)
        self._go(0.15)
        self._until(lambda: rig.controller.robot.mode.name == "RUNNING", COMEBACK_TIMEOUT, "the arm has power")
        if self._is_killed:
            self._until(lambda: not is_alive(self._orphan), COMEBACK_TIMEOUT, "the arm process has ended by itself")
            self._suspended = True  # what was commanded before the node is there is nobody's
            rig.start(RobotStatus.MODE_FAULT)  # the gripper may have one that only a recovery clears
            self._suspended, self._is_killed = False, False
        deadline = time.monotonic() + COMEBACK_TIMEOUT
        while not self._recover():
            assert time.monotonic() < deadline, self._fail("it does not come back")
            self._go(0.2)
        self._spoilt = ""
        self._aim()
        self._until(rig.truth.is_moving, COMEBACK_TIMEOUT, "it moves again")
        self._check()

    # What happens.

    def _break_robot(self, name: str) -> None:
        method, _, only = name.partition(" ")
        getattr(self._rig.controller.faults, method)(*([only] if only else []))
        if only != "dashboard":
            self._forbid(LIMIT["robot"])
            self._must_be_told = True

    def _break_gripper(self, name: str) -> None:
        getattr(self._rig.gripper.faults, name)()
        self._forbid(LIMIT["gripper"])
        self._must_be_told = True

    def _short_silence(self) -> None:
        self._rig.controller.faults.go_silent()
        self._after(self._random.uniform(0.02, 0.4), self._rig.controller.faults.restore_network)
        self._forbid(LIMIT["robot"])
        self._may_move = True  # it may be too short to be noticed

    def _process(self, number: int) -> None:
        pid = self._pid()
        if pid:
            kill(pid, number)
            self._forbid(LIMIT["process"])
            self._must_be_told = True

    def _short_hang(self) -> None:
        pid = self._pid()
        if pid:
            kill(pid, signal.SIGSTOP)
            self._after(self._random.uniform(0.02, 0.6), lambda: _wake(pid))

    def _node_hangs(self) -> None:
        popen = self._rig.process.popen
        popen.send_signal(signal.SIGSTOP)
        self._go(self._random.uniform(0.05, 0.8))
        popen.send_signal(signal.SIGCONT)

    def _kill_node(self) -> None:
        if self._is_killed:
            return
        self._orphan = self._pid()
        popen = self._rig.process.popen
        popen.kill()
        popen.wait(COMEBACK_TIMEOUT)
        self._is_killed, self._reset = True, None  # whoever waits for its answer waits in vain
        self._forbid(LIMIT["process"])

    def _spoil(self, how: str) -> None:
        self._spoilt = how

    def _stop(self) -> None:
        if self._is_killed:
            return
        answer = self._rig.begin(topics.DRIVER_STOP)
        self._until(answer.done, COMEBACK_TIMEOUT, "/driver/stop is answered")
        self._forbid(STANDSTILL)
        self._must_be_told = True

    def _begin_reset(self) -> None:
        if not self._is_killed and (self._reset is None or self._reset.done()):
            self._reset = self._rig.begin(topics.RESET_EPISODE)

    def _recover(self) -> bool:
        """Ask for a recovery; what is commanded meanwhile could not be told from what is commanded after it."""
        rig = self._rig
        if self._is_killed:
            return False
        self._suspended = True
        answer = rig.begin(topics.DRIVER_RECOVER)
        self._until(answer.done, COMEBACK_TIMEOUT, "/driver/recover is answered")
        self._suspended = False
        result = answer.result()
        assert result.message, self._fail("an answer without words")
        if result.success:
            self._may_move, self._must_be_told = True, False
        else:
            self.log.append(f"recover says: {result.message}")
        return bool(result.success)

    # What is commanded, and what may move.

    def _aim(self) -> None:
        """A random velocity that does not lead out of the workspace soon."""
        draw = [self._random.gauss(0.0, 0.05) for _ in range(3)]
        way = CENTRE + np.array(draw) - self._rig.truth.position()[0]
        self._velocity = way / max(float(np.linalg.norm(way)), 1e-3) * self._random.uniform(*SPEEDS)

    def _forbid(self, limit: float) -> None:
        if self._may_move:  # else the first fault's limit holds
            self._rig.truth.restrict(limit + TRANSPORT)
        self._may_move = False

    def _command(self) -> None:
        rig, how = self._rig, self._spoilt
        resets = self._reset is not None and not self._reset.done()
        if self._may_move and resets:
            rig.truth.allow(WATCHDOG_STANDSTILL + TRANSPORT)
        if how == "none" or self._suspended:
            return
        message = rig.twist(self._velocity, 0.15 if how == "stale" else 0.0)
        message.header.frame_id = "tool0" if how == "frame" else "base_link"
        if how == "nan":
            message.twist.linear.x = float("nan")
        if self._may_move and not how:
            # What hangs or is not heard may take the watchdog's time; all else has the driver's own.
            is_sound = not any(word in line for line in self.log for word in ("hang", "silence", "crash", "kill"))
            rig.truth.allow((STANDSTILL if is_sound else WATCHDOG_STANDSTILL) + TRANSPORT)
        rig.publish(message)

    def _go(self, seconds: float) -> None:
        """Let time pass, commanding 30 times a second."""
        end = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            for due, action in [item for item in self._later if item[0] <= now]:
                self._later.remove((due, action))
                action()
            self._command()
            self._rig.spin(0.033)
            if time.monotonic() >= end:
                break
        self._check()

    def _after(self, seconds: float, action: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, action))

    def _until(self, condition: Callable[[], Any], timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, self._fail(f"not within {timeout} s: {what}")
            self._go(0.0)

    def _is_told(self) -> bool:
        status = self._rig.status
        return status.mode in (RobotStatus.MODE_FAULT, RobotStatus.MODE_HALTED) and bool(status.reason)

    def _check(self) -> None:
        late = self._rig.truth.forbidden
        assert not late, self._fail(f"moved {max(late):.3f} s longer than it may")
        assert self._is_killed or self._rig.process.popen.poll() is None, self._fail("the node ended")

    def _fail(self, what: str) -> str:
        return f"{what}\n{'; '.join(self.log)}\n{self._rig.story()}"

    def _pid(self) -> int:
        try:
            return self._rig.arm_pid
        except (AssertionError, FileNotFoundError):
            return 0  # it has ended, or two of them are there for a moment


def is_alive(pid: int) -> bool:
    """Whether a process runs: 0 is none, and one that has ended and waits to be reaped counts as ended."""
    try:
        return bool(pid) and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _wake(pid: int) -> None:
    try:
        kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass

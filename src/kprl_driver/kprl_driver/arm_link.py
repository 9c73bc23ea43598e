"""The node's hold of the arm process: starts it, hears it, kills it when it is silent. Only `close` waits for it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from kprl_driver.condition import RECOVER
from kprl_driver.preflight import why_hung
from kprl_driver.wire import Bug, Channel, Closed, Message, Quit, Refused, Report, Stage, pair

START_TIMEOUT = 12.0  # [s] from the start of the process to the first report: 8 of them for a controller's script
HEARTBEAT_TIMEOUT = 0.5  # [s] without a report after which the process counts as hung
CLOSE_TIMEOUT = 1.5  # [s] for it to stop the arm and end
KILL_TIMEOUT = 2.0  # [s] for the system to end a killed process


@dataclass(frozen=True)
class ArmOptions:
    """What the arm process must know."""

    host: str
    upper_registers: bool
    tool_offset: float  # [m] from the flange to the tool centre point
    watchdog_hz: float  # rate of messages below which the controller stops the arm


class ArmLink:
    """One arm process, from its start to its end. `failure` is empty while it lives and answers."""

    def __init__(self, options: ArmOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._host = clock, options.host
        ours, theirs = pair()
        with theirs:
            arguments = [str(theirs.fileno()), json.dumps(asdict(options))]
            # A session of its own: Ctrl-C in a terminal is the node's, which stops the arm before it ends the process.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "kprl_driver.arm_process", *arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # ur_rtde prints there, and to the next one
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._channel = Channel(ours)
        self._began = self._heard = clock()
        self._stage = "starting"
        self.report: Report | None = None  # the newest; the first says that the arm is ready
        self.failure = ""

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def step(self) -> None:
        """Hear what has come, and judge the silence. To be called often."""
        if self.failure:
            return
        try:
            for message in self._channel.receive():
                self._hear(message)
        except Closed:
            self._end(self._obituary())
            return
        now = self._clock()
        if self.report is None and now - self._began > START_TIMEOUT:
            self._end(f"no arm after {START_TIMEOUT:g} s of {self._stage}: does the robot answer? See the pendant")
        elif self.report is not None and now - self._heard > HEARTBEAT_TIMEOUT:
            self._end(f"the arm process gave no sign of life for {HEARTBEAT_TIMEOUT:g} s and was killed; {RECOVER}")

    def send(self, order: Message) -> None:
        """Give an order; one that the process does not take is known by its silence."""
        if not self.failure:
            try:
                self._channel.send(order)
            except Closed:
                pass  # `step` finds out why

    def close(self) -> None:
        """Let it stop the arm and end; kill it where it does not. Returns within CLOSE_TIMEOUT and KILL_TIMEOUT."""
        self.send(Quit())
        try:
            self._process.wait(CLOSE_TIMEOUT)
        except subprocess.TimeoutExpired:
            pass
        self._end(self.failure or "the arm process was ended")

    def _hear(self, message: Message) -> None:
        # When it was heard, not when it was said: this process may be the one that was asleep.
        self._heard = self._clock()
        match message:
            case Stage(text):
                self._stage = text
            case Report():
                self.report = message
            case Refused(text):
                self._end(text)
            case Bug(text):
                self._end(f"the arm process failed, please report this: {text}")

    def _obituary(self) -> str:
        try:
            code = self._process.wait(KILL_TIMEOUT)
        except subprocess.TimeoutExpired:
            return "the arm process closed its ears and was killed"
        if self.report is not None and self.report.fault:
            return self.report.fault
        if code == -signal.SIGALRM:
            hang = f"the arm process hung in ur_rtde and ended itself while {self._doing()}; {RECOVER}"
            return why_hung(self._host) or hang
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        return f"the arm process {how} while {self._doing()}: the arm is stopped by its controller; {RECOVER}"

    def _doing(self) -> str:
        return self._stage if self.report is None else "it controlled the arm"

    def _end(self, failure: str) -> None:
        self.failure = self.failure or failure
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(KILL_TIMEOUT)
        self._channel.close()

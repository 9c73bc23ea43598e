"""The arm process: owns ur_rtde, and keeps the arm safe whatever becomes of the node that started it.

A process of its own because ur_rtde can hang, hold Python's global lock and crash; it is killed then, and the
controller's watchdog stops the arm. It ends the arm's motion itself where the node is silent or gone.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import traceback
from typing import Any, Protocol

from kprl.errors import KprlError
from kprl_driver.condition import LOCAL_CONTROL, PROGRAM_ENDED
from kprl_driver.dashboard import Dashboard
from kprl_driver.pilot import PERIOD, Move, Pilot, Reading, Rest
from kprl_driver.preflight import inspect
from kprl_driver.wire import Bug, Channel, Closed, Halt, Quit, Refused, Stage

BEGIN_TIMEOUT = 30.0  # [s] after which a process that never began ends by itself; the node is more impatient
STALL_TIMEOUT = 0.3  # [s] for one turn of the loop: one that hangs in ur_rtde must not come back and send something old
CLOSING_TIMEOUT = 1.0  # [s] to stop the arm and the program at the end
LAST_WORD_TIMEOUT = 0.5  # [s] for an answer of the dashboard once something is wrong
PRIORITY = 20  # of 1 to 99 of the real-time ones
WINDOW = 1.0  # [s] that the longest turn is told of
_kept: list[Robot] = []  # until the process ends without farewell: sealed, ur_rtde's destructor never returns


class Robot(Protocol):
    """What the loop calls of `kprl_driver.ur5.Ur5`, which takes a second to import: too long to say nothing."""

    def read(self) -> Reading:
        """The newest state."""

    def send(self, move: Move) -> bool:
        """Begin a motion; whether the controller took it."""


class Loop:
    """One turn every PERIOD: orders in, a reading, a move, a report."""

    def __init__(self, channel: Channel, dashboard: Dashboard, robot: Robot, pilot: Pilot) -> None:
        self._channel, self._dashboard, self._robot, self._pilot = channel, dashboard, robot, pilot
        self._fault_handled = False
        self._worst, self._worst_before, self._window_ends = 0.0, 0.0, 0.0

    def run(self) -> None:
        """Until told to end, the node is gone (`Closed`), or the controller is (`KprlError`)."""
        due = time.monotonic()
        before = due
        while True:
            _arm_alarm(STALL_TIMEOUT)
            if not self._take_orders():
                return
            now = time.monotonic()
            self._measure(now - before, now)
            before = now
            self._turn(now)
            due = max(due + PERIOD, time.monotonic())
            while self._channel.wait(min(due, self._pilot.expires()) - time.monotonic()):
                if not self._take_orders():
                    return

    def _take_orders(self) -> bool:
        for order in self._channel.receive():
            if isinstance(order, Quit):
                return False
            self._pilot.take(order, time.monotonic())
            if isinstance(order, Halt) and not self._pilot.fault:
                self._turn(time.monotonic())  # now, not in the next turn
        return True

    def _turn(self, now: float) -> None:
        reading = self._robot.read()
        move = self._pilot.tick(reading, now)
        if self._pilot.fault:
            self._handle_fault(reading, now)
        else:
            try:
                self._pilot.answered(self._robot.send(move) or isinstance(move, Rest))
            except RuntimeError as error:  # what ur_rtde throws once it would have to connect again
                self._pilot.fail(f"the connection to the controller broke ({error}): is it switched on?", is_lost=True)
                self._handle_fault(reading, now)
        self._channel.send(self._pilot.report(reading, now, max(self._worst, self._worst_before)))

    def _handle_fault(self, reading: Reading, now: float) -> None:
        """Once: see to it that nothing goes on by itself when the cause is gone; where nobody is heard, end."""
        if self._fault_handled:
            return
        self._fault_handled = True
        self._channel.send(self._pilot.report(reading, now, self._worst))
        _arm_alarm(2 * LAST_WORD_TIMEOUT + STALL_TIMEOUT)
        try:
            # A program that is paused goes on with its last velocity when the pause ends.
            self._dashboard.ask("stop", LAST_WORD_TIMEOUT)
            if self._pilot.fault == PROGRAM_ENDED:
                is_remote = self._dashboard.ask("is in remote control", LAST_WORD_TIMEOUT)
                self._pilot.fault = LOCAL_CONTROL if is_remote == "false" else PROGRAM_ENDED
        except KprlError:
            pass  # the fault itself is what is told
        if self._pilot.is_lost:
            raise KprlError(self._pilot.fault)

    def _measure(self, period: float, now: float) -> None:
        if now > self._window_ends:
            self._window_ends, self._worst_before, self._worst = now + WINDOW, self._worst, 0.0
        self._worst = max(self._worst, period)


def _arm_alarm(seconds: float) -> None:
    """The kernel ends this process then, whatever it is doing: a hang in C++ cannot be ended from within."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _serve(channel: Channel, options: dict[str, Any]) -> None:
    """From connection to end."""
    host, tool_offset = options["host"], options["tool_offset"]
    dashboard, about = inspect(host, lambda text: _tell(channel, text))
    _tell(channel, f"connecting ur_rtde to the {about}")
    from kprl_driver.ur5 import Ur5

    _come_first()  # before ur_rtde's threads begin, which inherit it
    robot = Ur5(host, options["upper_registers"], tool_offset, options["watchdog_hz"])
    robot.seal()
    _kept.append(robot)
    pilot = Pilot(tool_offset)
    try:
        Loop(channel, dashboard, robot, pilot).run()
    finally:
        _arm_alarm(CLOSING_TIMEOUT)
        if not pilot.fault:  # else the program has ended, or nobody is there to be told
            robot.stop()
            robot.end_program()


def _come_first() -> None:
    """Real-time priority where the system grants it: a busy machine must not look like a dead one."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except PermissionError:
        pass  # without it all works too, until something keeps every core busy for the watchdog's time


def _tell(channel: Channel, text: str) -> None:
    channel.send(Stage(text))


def main() -> None:
    """Arguments: the number of the socket, and the options as JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the node's: it ends this process in good order
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _arm_alarm(BEGIN_TIMEOUT)
    channel = Channel(socket.socket(fileno=int(sys.argv[1])))
    try:
        _serve(channel, json.loads(sys.argv[2]))
    except KprlError as error:
        _last_word(channel, Refused(str(error)))
    except Closed:
        pass
    except Exception:
        _last_word(channel, Bug(traceback.format_exc()))
    os._exit(0)


def _last_word(channel: Channel, word: Refused | Bug) -> None:
    try:
        channel.send(word)
    except Closed:
        pass


if __name__ == "__main__":
    main()

"""The gripper as the node sees it: always the newest state, the newest target, reconnection. Nothing here waits.

A thread of its own does the talking. After a loss it connects again to *read*; a target from before is forgotten, and
an activation, which moves the fingers, happens only when it is asked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kprl.control.commands import GripperTarget
from kprl.errors import KprlError
from kprl_driver.condition import RECOVER
from kprl_driver.opening import force_to_register, opening_to_position, speed_to_register
from kprl_driver.robotiq import GripperState, Robotiq, say_fault

POLL_PERIOD = 0.02  # [s] between two readings
COMMAND_PERIOD = 0.05  # [s] at least between two targets that are sent
RECONNECT_PERIOD = 0.5  # [s] from the loss to the next try
SILENCE = 1.0  # [s] without a reading after which the thread itself counts as hung
CLOSE_TIMEOUT = 1.0  # [s] for the thread to end

Registers = tuple[int, int, int]
_HANDS_OFF = f"take hands and objects out of the gripper, {RECOVER}"


class Gripper:
    """`state`, `trouble` and `is_activating` may be asked at any time."""

    def __init__(self, connect: Callable[[], Robotiq], clock: Callable[[], float] = time.monotonic) -> None:
        self._connect, self._clock = connect, clock
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._target: Registers | None = None
        self._activation_wanted = False
        self._trouble = "the gripper has not been reached yet"
        self._heard = clock()
        self.state: GripperState | None = None
        self.is_connected = False
        self.reached = threading.Event()  # the first reading, or the first failure
        self._thread = threading.Thread(target=self._work, name="gripper", daemon=True)
        self._thread.start()

    @property
    def is_activating(self) -> bool:
        """An activation was asked for and has neither succeeded nor failed."""
        return self._activation_wanted

    @property
    def trouble(self) -> str:
        """Why the gripper cannot be commanded, and what to do; empty where it can."""
        if not self._activation_wanted and self._clock() - self._heard > SILENCE and not self._trouble:
            return f"nothing was heard from the gripper for {SILENCE:g} s: is this machine too busy?"
        return self._trouble

    def command(self, target: GripperTarget) -> None:
        """Go for this target from now on."""
        registers = (
            opening_to_position(target.opening),
            speed_to_register(target.speed),
            force_to_register(target.force),
        )
        with self._lock:
            self._target = registers

    def activate(self) -> None:
        """Reset and activate it: its fingers open and close, and let go of what they hold."""
        self._activation_wanted = True

    def close(self) -> None:
        """End the thread; the gripper keeps what it holds."""
        self._stop.set()
        self._thread.join(CLOSE_TIMEOUT)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                client = self._connect()
                try:
                    self._talk(client)
                finally:
                    client.close()
            except KprlError as error:
                self._lose(f"{error}; {RECOVER}")
                self._stop.wait(RECONNECT_PERIOD)
            except Exception as error:  # a bug must not leave a gripper that seems well
                self._lose(f"the gripper's thread failed, please report this: {error!r}")
                raise

    def _talk(self, client: Robotiq) -> None:
        sent: Registers | None = None
        sent_at = -COMMAND_PERIOD
        while not self._stop.is_set():
            is_wanted = self._activation_wanted
            if is_wanted:
                self._forget_target()
                client.activate()
            self._read(client)
            if is_wanted:
                self._activation_wanted = False
            with self._lock:
                target = self._target
            now = self._clock()
            if target is not None and target != sent and not self._trouble and now - sent_at >= COMMAND_PERIOD:
                client.go(*target)
                sent, sent_at = target, now
            self._stop.wait(POLL_PERIOD)

    def _read(self, client: Robotiq) -> None:
        self.state = state = client.state()
        self._heard, self.is_connected = self._clock(), True
        if state.fault:
            self._forget_target()
            self._trouble = f"the gripper reports {say_fault(state.fault)}; its reset moves the fingers: {_HANDS_OFF}"
        elif not state.is_active:
            self._forget_target()
            self._trouble = f"the gripper is not activated; activation moves the fingers: {_HANDS_OFF}"
        else:
            self._trouble = ""
        self.reached.set()

    def _lose(self, reason: str) -> None:
        self._forget_target()
        self._trouble, self._activation_wanted, self.is_connected = reason, False, False
        self.reached.set()

    def _forget_target(self) -> None:
        with self._lock:
            self._target = None

"""The main function of every node: one line and status 2 for a fault that a user can mend, 0 for Ctrl-C."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rclpy.task import Future

from kprl.errors import KprlError

try:
    from rclpy.experimental import EventsExecutor as NodeExecutor
except ImportError:  # rclpy before Kilted has the slower one only
    NodeExecutor = SingleThreadedExecutor

SPIN_SLICE = 0.25  # [s] EventsExecutor burns a core when it is told to wait without an end (rclpy 9.1)
FAULT = 2  # exit status for a KprlError
INTERRUPTED = 130  # exit status of a job that was stopped before its end


def make_executor(node: Node) -> Executor:
    """An executor with `node`: of rclpy's, the one that costs least a callback."""
    executor = NodeExecutor(context=node.context)
    executor.add_node(node)
    return executor


def spin(executor: Executor) -> None:
    """Handle events until Ctrl-C, SIGTERM or the end of rclpy; the first two end in a KeyboardInterrupt."""
    never: Future[None] = Future()
    while True:
        spin_until(executor, never, SPIN_SLICE)


def spin_until(executor: Executor, future: Future[Any], timeout: float) -> bool:
    """Handle events until `future` is done; False when `timeout` [s] passed before.

    A signal is heard between two callbacks, at most SPIN_SLICE late: one that interrupts a callback would leave
    half of its work done. Raises KeyboardInterrupt then, and ExternalShutdownException when rclpy has ended.
    """
    deadline = time.monotonic() + timeout
    while not future.done():
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        _signals.deferred = True
        try:
            executor.spin_until_future_complete(future, timeout_sec=min(left, SPIN_SLICE))
        finally:
            _signals.deferred = False
        if _signals.received:
            raise KeyboardInterrupt
        if not rclpy.ok(context=executor.context):
            raise ExternalShutdownException
    return True


class _Signals:
    """SIGINT and SIGTERM: a KeyboardInterrupt at once, or noted where it would interrupt a callback."""

    def __init__(self) -> None:
        self.deferred = self.received = False

    def install(self) -> None:
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        if not self.deferred:
            raise KeyboardInterrupt


_signals = _Signals()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Signals change nothing meanwhile: for the end of a job that must be whole, such as a file's last part."""
    _signals.deferred = True
    try:
        yield
    finally:
        _signals.deferred = False


def run(make_node: Callable[[], Node]) -> int:
    """Spin a node until it is told to stop; returns the exit status."""

    def serve() -> None:
        node = make_node()
        try:
            spin(make_executor(node))
        finally:
            node.destroy_node()

    return run_job(serve, interrupted=0)


def run_job(job: Callable[[], None], interrupted: int = INTERRUPTED) -> int:
    """Do a job that ends by itself between the start and the end of rclpy; returns the exit status.

    `interrupted` is the status after Ctrl-C: a node that was to run for ever ended well, a job did not.
    """
    _signals.install()
    try:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        job()
    except (KeyboardInterrupt, ExternalShutdownException):
        return interrupted
    except KprlError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr, flush=True)
        return FAULT
    finally:
        rclpy.try_shutdown()
    return 0

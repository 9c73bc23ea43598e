"""A machine that is on the network while it runs: what the controller and the gripper's server have in common."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from kprl_fake_hardware.server_thread import ServerThread
from kprl_fake_hardware.tcp_server import TcpServer


class Machine:
    """Use it as a context manager, or `start` and `stop`; `lock` guards what its thread changes.

    Machines that one thread serves have one lock.
    """

    def __init__(
        self,
        servers: Sequence[TcpServer],
        tick: Callable[[], None],
        period: float,
        lock: threading.RLock | None = None,
    ) -> None:
        self._thread = ServerThread(servers, tick, period, lock)
        self.lock = self._thread.lock

    def add_server(self, server: TcpServer) -> None:
        """Serve one more, which network faults do not touch; before the start."""
        self._thread.servers.append(server)

    @property
    def lost(self) -> float:
        """Time [s] by which this machine has fallen behind the wall's since its start, for want of a processor."""
        return self._thread.lost

    def start(self) -> None:
        """Let time pass and clients in."""
        self._thread.start()

    def stop(self) -> None:
        """Everything ends, within two seconds."""
        self._thread.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

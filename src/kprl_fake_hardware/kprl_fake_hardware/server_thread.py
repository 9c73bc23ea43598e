"""One thread that serves several TCP servers and lets time pass."""

from __future__ import annotations

import selectors
import threading
import time
from collections.abc import Callable, Sequence

from kprl_fake_hardware.tcp_server import TcpServer

MAX_CATCH_UP = 0.04  # [s] of late ticks that are made up for; beyond it the robot's time falls behind the wall's
STOP_TIMEOUT = 2.0  # [s] for the thread to end
IDLE_PERIOD = 0.05  # [s] between looks at the stop flag


class ServerThread:
    """Serves `servers` and calls `tick` every `period` [s], in one thread; `lock` is held except while it waits."""

    def __init__(
        self,
        servers: Sequence[TcpServer],
        tick: Callable[[], None],
        period: float,
        lock: threading.RLock | None = None,
    ) -> None:
        self.lock = threading.RLock() if lock is None else lock
        self.lost = 0.0  # [s] of late ticks that were never made up for
        self.servers = list(servers)
        self._tick, self._period = tick, period
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fake hardware", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """End within `STOP_TIMEOUT` and free the ports. Errors: `TimeoutError` if the thread hangs."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT)
            if self._thread.is_alive():
                raise TimeoutError(f"the fake hardware's thread did not end within {STOP_TIMEOUT} s")
        for server in self.servers:
            server.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            for server in self.servers:
                selector.register(server, selectors.EVENT_READ)
            due = time.monotonic()
            while not self._stop.is_set():
                selector.select(max(0.0, min(due - time.monotonic(), IDLE_PERIOD)))
                with self.lock:
                    for server in self.servers:
                        server.poll()
                    due = self._catch_up(due)

    def _catch_up(self, due: float) -> float:
        now = time.monotonic()
        late = now - MAX_CATCH_UP - due
        if late > 0.0:
            self.lost, due = self.lost + late, due + late
        while due <= now:
            self._tick()
            for server in self.servers:
                server.send_ticks()
            due += self._period
        return due

"""The camera as its node sees it: always the newest frame, and reconnection for ever. No ROS, no SDK.

Nothing here waits for the SDK: a session that hangs in it is left behind, and another one begins.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kprl.errors import KprlError
from kprl_camera.frame import CameraAbsent, Frame
from kprl_camera.lens import Lens
from kprl_camera.session import OpenStream, Session

OPEN_TIMEOUT = 15.0  # [s] a D435 opens in about one; its SDK's own waits inside add up to some
MAX_HUNG = 3  # sessions left behind in the SDK, after which no further one begins before one of them returns


class Capture:
    """`step` is to be called often; `wake` is called from another thread when a frame waits to be taken."""

    def __init__(
        self,
        open_stream: OpenStream,
        wake: Callable[[], None],
        stale_timeout: float,
        reconnect_interval: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_stream, self._wake, self._clock = open_stream, wake, clock
        self._stale_timeout, self._interval = stale_timeout, reconnect_interval
        self._lock = threading.Lock()
        self._newest: tuple[Frame, Lens] | None = None
        self._session: Session | None = None
        self._left: list[Session] = []  # told to stop, not yet ended
        self._due = 0.0  # [s] when the next session begins
        self._lost_since: float | None = None
        self.is_finished = False
        self.reconnects = 0
        self.reason = ""  # why the camera is away; empty while it is there
        self.last_error = ""

    @property
    def hung(self) -> int:
        """Sessions that were left and have not returned from the SDK."""
        self._left = [session for session in self._left if session.is_alive]
        return len(self._left)

    @property
    def about(self) -> str:
        """What is open, in one line; empty where nothing is."""
        stream = self._session.stream if self._session else None
        return stream.about if stream else ""

    def open(self, waits: bool) -> str:
        """Open the camera for the first time; returns a line to say where it is absent and `waits`.

        Errors: `KprlError` where it cannot be opened; where it is absent, only unless `waits`.
        """
        session = self._begin()
        if not session.settled.wait(OPEN_TIMEOUT):
            self._leave(session)
            raise KprlError(f"the camera did not open within {OPEN_TIMEOUT:g} s: unplug it and plug it in again")
        if session.error is None or session.stream is not None:
            return ""  # opened; what happened since then is for `step`
        if waits and isinstance(session.error, CameraAbsent):
            return self._lose(session, str(session.error))
        raise session.error

    def take(self) -> tuple[Frame, Lens] | None:
        """The newest frame with its lens, once."""
        with self._lock:
            newest, self._newest = self._newest, None
            return newest

    def step(self) -> str:
        """Look after the session; returns a line to say when the camera is lost or back, else empty."""
        session = self._session
        if session is None:
            if self._clock() >= self._due and self.hung < MAX_HUNG:
                self._begin()
            return ""
        if session.error is not None and not isinstance(session.error, KprlError):
            raise session.error
        if session.stream is not None and session.stream.notice:
            self.last_error = session.stream.notice
        if session.is_finished:
            self.is_finished = True
        elif session.error is not None:
            return self._lose(session, str(session.error))
        elif session.stream is not None and session.staleness.is_stale():
            return self._lose(session, f"no frame for {session.staleness.age():.1f} s: is the camera unplugged?")
        elif not session.settled.is_set() and session.age() > OPEN_TIMEOUT:
            return self._lose(session, f"the camera did not open within {OPEN_TIMEOUT:g} s")
        elif self._lost_since is not None and session.frames:
            return self._regain()
        return ""

    def close(self, timeout: float) -> bool:
        """Give the camera back; False where the SDK did not return within `timeout` [s]."""
        deadline = time.monotonic() + timeout
        if self._session is not None:
            self._leave(self._session)
        for session in self._left:
            session.join(max(0.0, deadline - time.monotonic()))
        return self.hung == 0

    def _begin(self) -> Session:
        with self._lock:
            self._session = Session(self._open_stream, self._deliver, self._stale_timeout, self._clock)
        return self._session

    def _deliver(self, session: Session, frame: Frame) -> None:
        with self._lock:
            if session is not self._session or session.stream is None:
                return  # left behind, and came back late
            self._newest = frame, session.stream.lens
        self._wake()

    def _leave(self, session: Session) -> None:
        session.abandon()
        with self._lock:
            self._session = self._newest = None
        self._left.append(session)

    def _lose(self, session: Session, reason: str) -> str:
        self._leave(session)
        self._due = self._clock() + self._interval
        self.reason = self.last_error = reason
        if self._lost_since is not None:
            return ""  # it was said
        self._lost_since = self._clock()
        return f"{reason}; trying again every {self._interval:g} s"

    def _regain(self) -> str:
        assert self._lost_since is not None
        seconds = self._clock() - self._lost_since
        self._lost_since, self.reason = None, ""
        self.reconnects += 1
        return f"the camera is back after {seconds:.1f} s: {self.about}"

"""One hold of the camera: a thread of its own, the only one that calls the SDK, so that only it can hang there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from kprl.errors import KprlError
from kprl_camera.frame import EndOfRecording, Frame, Stream
from kprl_camera.staleness import Staleness

POLL = 0.1  # [s] how late a thread in the SDK's wait hears that it is to stop

OpenStream = Callable[[threading.Event], Stream]  # the event: give up opening


class Session:
    """Open, deliver frames until told to stop, close."""

    def __init__(
        self,
        open_stream: OpenStream,
        deliver: Callable[[Session, Frame], None],
        stale_timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_stream, self._deliver = open_stream, deliver
        self._stop = threading.Event()
        self.settled = threading.Event()  # opened, or ended without
        self.stream: Stream | None = None  # once opened
        self.error: Exception | None = None  # why it ended by itself
        self.is_finished = False  # the recording has ended
        self.frames = 0
        self.staleness = Staleness(stale_timeout, clock)
        self.age = Staleness(0.0, clock).age  # [s] since the begin
        self._thread = threading.Thread(target=self._work, name="camera session", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Its thread runs, or hangs in the SDK."""
        return self._thread.is_alive()

    def abandon(self) -> None:
        """Tell it to close the camera, and do not wait: it may hang."""
        self._stop.set()

    def join(self, timeout: float) -> None:
        """Wait `timeout` [s] at most for the end."""
        self._thread.join(timeout)

    def _work(self) -> None:
        try:
            self._hold()
        except EndOfRecording:
            self.is_finished = True
        except Exception as error:  # shown by the supervisor: a KprlError as a line, a bug with its traceback
            self.error = error
        finally:
            self.settled.set()

    def _hold(self) -> None:
        stream = self._open_stream(self._stop)
        try:
            self.staleness.hear()
            self.stream = stream
            self.settled.set()
            while not self._stop.is_set():
                frame = stream.next(POLL)
                if frame is not None and not self._stop.is_set():
                    self.staleness.hear()
                    self.frames += 1
                    self._deliver(self, frame)
                if stream.trouble():
                    raise KprlError(stream.trouble())
        finally:
            stream.close()

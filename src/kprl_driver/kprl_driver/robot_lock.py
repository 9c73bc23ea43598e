"""One driver a robot on this machine; on two machines the controller's registers keep the second one out."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
from pathlib import Path

from kprl.errors import KprlError


class RobotLock:
    """Held until `release` or the end of the process, however it ends."""

    def __init__(self, robot_ip: str) -> None:
        """Errors: `KprlError` where another driver holds this robot."""
        path = Path(tempfile.gettempdir()) / f"kprl_driver_{re.sub(r'[^0-9A-Za-z.:-]', '_', robot_ip)}.lock"
        try:
            # Not removed at the end: who waits for a removed file would hold another one than who comes later.
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise KprlError(f"the lock file {path} cannot be opened ({error.strerror}): remove it") from error
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise KprlError(
                f"another driver on this machine controls the robot {robot_ip}: end it first ({path} is its lock)"
            ) from None

    def release(self) -> None:
        """Let the next one in."""
        os.close(self._handle)

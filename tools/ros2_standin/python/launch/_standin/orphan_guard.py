"""A helper process that stops what a launch started when the launch itself is killed.

A killed launcher (SIGKILL, out of memory) cannot stop its processes. The kernel then sends SIGINT to
each process it started (`die_with_launcher`), so that a robot driver can still stop its arm; this
guard follows with SIGTERM and SIGKILL to what remains of their process groups, grandchildren
included. It learns of the groups, and of the launcher's death, through a pipe.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

SIGTERM_AFTER_S = 5.0
SIGKILL_AFTER_S = 5.0
CLOSE_TIMEOUT_S = 2.0
_POLL_S = 0.05
_PR_SET_PDEATHSIG = 1


def die_with_launcher() -> Callable[[], None]:
    """A `preexec_fn` that asks the kernel for SIGINT when the launcher dies.

    Everything is looked up before the fork; between fork and exec only two system calls are made.
    """
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    launcher = os.getpid()
    interrupt = int(signal.SIGINT)

    def in_child() -> None:
        prctl(_PR_SET_PDEATHSIG, interrupt, 0, 0, 0)
        if os.getppid() != launcher:  # it died before the request
            os._exit(1)

    return in_child


class OrphanGuard:
    """The launcher's end: tells the guard which process groups exist."""

    def __init__(self) -> None:
        self._guard: subprocess.Popen[bytes] | None = None

    def watch(self, group: int) -> None:
        """A process group began; the guard starts with the first one."""
        if self._guard is None:
            command = [sys.executable, "-I", "-S", os.path.abspath(__file__)]
            self._guard = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
            )
        self._send(f"+{group}\n")

    def forget(self, group: int) -> None:
        """A process group ended."""
        self._send(f"-{group}\n")

    def close(self) -> None:
        """End the guard, unless groups are left: then it stops them."""
        if self._guard is None:
            return
        assert self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it is still at work
            self._guard.wait(CLOSE_TIMEOUT_S)

    def _send(self, line: str) -> None:
        assert self._guard is not None and self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # someone killed the guard: the kernel's SIGINT remains
            self._guard.stdin.write(line.encode())
            self._guard.stdin.flush()


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; False where no process of it is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:  # a member changed its user: it exists, and is not ours to stop
        return True
    return True


def group_is_alive(group: int) -> bool:
    """Whether a process of the group still runs.

    The dead that nobody has waited for yet do not count: the parent of an orphan is process 1, which in a container
    may let seconds pass before it does.
    """
    return signal_group(group, 0) and any(_runs_in(group, entry) for entry in os.listdir("/proc") if entry.isdigit())


def _runs_in(group: int, process: str) -> bool:
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            state, _, its_group = file.read().rpartition(b")")[2].split()[:3]
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return False
    return int(its_group) == group and state not in (b"Z", b"X")


def _wait_for_end(groups: set[int], seconds: float) -> set[int]:
    """The groups that are still there after at most `seconds`."""
    deadline = time.monotonic() + seconds
    while groups and time.monotonic() < deadline:
        time.sleep(_POLL_S)
        groups = {group for group in groups if group_is_alive(group)}
    return groups


def guard() -> None:
    """The guard's main: read groups until the pipe closes, then stop what is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    groups = {group for group in groups if group_is_alive(group)}
    groups = _wait_for_end(groups, SIGTERM_AFTER_S)
    for group in groups:
        signal_group(group, signal.SIGTERM)
    for group in _wait_for_end(groups, SIGKILL_AFTER_S):
        signal_group(group, signal.SIGKILL)


if __name__ == "__main__":
    guard()

"""One process of a launch: start, output, signals, end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable

from launch._standin.lines import LineSplitter
from launch._standin.orphan_guard import OrphanGuard, die_with_launcher, group_is_alive, signal_group

LEFTOVER_GRACE_S = 1.0
"""Grandchildren that outlive their process have this long to end by themselves."""

_POLL_S = 0.05
_CHUNK = 65536
_DRAIN_CHUNKS = 64

OnOutput = Callable[[str, str, bool], None]
"""Called with ('stdout' or 'stderr', text, is_progress)."""


class ManagedProcess:
    """A process in a session of its own, so that signals reach its whole process group."""

    def __init__(
        self, cmd: list[str], cwd: str | None, env: dict[str, str], guard: OrphanGuard, on_output: OnOutput
    ) -> None:
        """Start it.

        Raises:
            OSError: the program does not exist or cannot be executed.
        """
        self._popen = subprocess.Popen(
            cmd,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=die_with_launcher(),
        )
        self.pid = self._popen.pid
        self._guard = guard
        self._guard.watch(self.pid)
        self._on_output = on_output
        self._loop = asyncio.get_running_loop()
        self._readers: dict[int, tuple[str, LineSplitter]] = {}
        for name, stream in (("stdout", self._popen.stdout), ("stderr", self._popen.stderr)):
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._readers[stream.fileno()] = (name, LineSplitter())
            self._loop.add_reader(stream.fileno(), self._read, stream.fileno())
        self._ended = asyncio.Event()
        self._pidfd = os.pidfd_open(self.pid)  # readable when the process has ended
        self._loop.add_reader(self._pidfd, self._note_end)

    @property
    def has_ended(self) -> bool:
        """Whether the process itself has ended; its descendants may still run."""
        return self._ended.is_set()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and its descendants."""
        signal_group(self.pid, number)

    async def ended_within(self, seconds: float) -> bool:
        """True as soon as the process has ended, False after `seconds`."""
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def wait(self) -> int:
        """Wait for the end; the exit code, or minus the number of the signal that killed it."""
        await self._ended.wait()
        self._drain()
        assert self._popen.returncode is not None
        return self._popen.returncode

    async def stop_leftovers(self) -> bool:
        """Kill what remains of the process group, after a grace time; True where something had to be."""
        killed = False
        for _ in range(round(LEFTOVER_GRACE_S / _POLL_S)):
            if not group_is_alive(self.pid):
                break
            await asyncio.sleep(_POLL_S)
        else:
            killed = signal_group(self.pid, signal.SIGKILL)
        self._drain()
        for descriptor in list(self._readers):
            self._finish_stream(descriptor)
        for stream in (self._popen.stdout, self._popen.stderr):
            assert stream is not None
            stream.close()
        self._guard.forget(self.pid)
        return killed

    def _note_end(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._popen.wait()  # returns at once
        self._ended.set()

    def _read(self, descriptor: int) -> bool:
        """Pass one chunk on; False where nothing more can be read now."""
        name, splitter = self._readers[descriptor]
        try:
            chunk = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        for text, is_progress in splitter.feed(chunk):
            self._on_output(name, text, is_progress)
        if not chunk:
            self._finish_stream(descriptor)
        return bool(chunk)

    def _drain(self) -> None:
        """Pass on what the process left in its pipes; bounded, for a grandchild may still write."""
        for descriptor in list(self._readers):
            for _ in range(_DRAIN_CHUNKS):
                if not self._read(descriptor):
                    break

    def _finish_stream(self, descriptor: int) -> None:
        reader = self._readers.pop(descriptor, None)
        if reader is not None:
            self._loop.remove_reader(descriptor)
            for text, is_progress in reader[1].flush():
                self._on_output(reader[0], text, is_progress)

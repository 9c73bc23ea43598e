"""Splitting a process's output into lines and progress updates."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

_CURSOR_MOVES = re.compile(r"\x1b\[[0-9;?]*[A-HJKfhlnsu]")


class LineSplitter:
    """Turns chunks of bytes into `(text, is_progress)`.

    A carriage return without a newline starts a line over: what stood before is progress, to be
    replaced. Cursor movements of progress bars are dropped, colours are kept.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, chunk: bytes) -> Iterator[tuple[str, bool]]:
        """Lines and the latest progress in a chunk."""
        *whole, self._rest = (self._rest + self._decoder.decode(chunk)).split("\n")
        for line in whole:
            yield self._last_state(line), False
        if "\r" in self._rest:
            text = self._last_state(self._rest)
            if text:
                yield text, True
                # Only what can still change is kept: the state after the last carriage return.
                ends = self._rest.endswith("\r")
                self._rest = "\r" + text + "\r" if ends else "\r" + self._rest.rpartition("\r")[2]

    def flush(self) -> Iterator[tuple[str, bool]]:
        """What is left when the process has ended."""
        text = self._last_state(self._rest + self._decoder.decode(b"", final=True))
        self._rest = ""
        if text:
            yield text, False

    @staticmethod
    def _last_state(line: str) -> str:
        """What a terminal would show of a line with carriage returns in it."""
        states = [_CURSOR_MOVES.sub("", state).rstrip(" ") for state in line.split("\r")]
        return next((state for state in reversed(states) if state), "")

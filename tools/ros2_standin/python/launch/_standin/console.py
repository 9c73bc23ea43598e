"""The console of a launch: whole lines, and one live line for progress bars."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable

PROGRESS_PERIOD_S = 5.0
"""Where standard output is no terminal, a progress bar prints at most one line in this time."""

_CLEAR_LINE = "\r\x1b[K"


class Console:
    """Writes to standard output.

    A progress bar is a line that keeps replacing itself. On a terminal the latest one is shown live
    below the ordinary output; into a file or pipe it is thinned to a line every few seconds.
    """

    def __init__(self) -> None:
        self.on_broken: Callable[[], None] | None = None
        self._live: tuple[str, str] | None = None  # (source, text) of the live line on a terminal
        self._printed_at: dict[str, float] = {}
        self._held: dict[str, str] = {}  # last progress of a source that was not printed
        self._broken = False

    def line(self, text: str) -> None:
        """A whole line; the live line stays below it."""
        if self._live is not None:
            self._write(f"{_CLEAR_LINE}{text}\n{self._fitted(self._live[1])}")
        else:
            self._write(f"{text}\n")

    def progress(self, source: str, text: str) -> None:
        """A line that replaces the last progress of the same source."""
        if sys.stdout.isatty():
            self._live = (source, text)
            self._write(f"{_CLEAR_LINE}{self._fitted(text)}")
            return
        now = time.monotonic()
        if now - self._printed_at.get(source, -PROGRESS_PERIOD_S) >= PROGRESS_PERIOD_S:
            self._printed_at[source] = now
            self._held.pop(source, None)
            self._write(f"{text}\n")
        else:
            self._held[source] = text

    def end_progress(self, source: str, *, keep: bool) -> None:
        """The source shows no more progress; with `keep` its last state stays as a line."""
        if self._live is not None and self._live[0] == source:
            text = self._live[1]
            self._live = None
            self._write(f"{_CLEAR_LINE}{text}\n" if keep else _CLEAR_LINE)
        held = self._held.pop(source, None)
        if keep and held is not None:
            self._write(f"{held}\n")

    @staticmethod
    def _fitted(text: str) -> str:
        """Cut to the terminal's width: a wrapped line could not be replaced."""
        return text[: max(1, shutil.get_terminal_size().columns - 1)]

    def _write(self, text: str) -> None:
        if self._broken:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            self._broken = True  # nobody reads any more, e.g. `| head`: stop the launch, once
            if self.on_broken is not None:
                self.on_broken()

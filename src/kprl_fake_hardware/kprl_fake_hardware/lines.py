"""Protocols of text lines: one session class for all of them."""

from __future__ import annotations

from collections.abc import Callable

MAX_LINE = 1 << 16  # [bytes]


class LineSession:
    """Answers each complete line with `answer(line)`, a text that carries its own end of line if it has one.

    `answer` may raise `tcp_server.Goodbye`. Bytes that are no UTF-8 are replaced, not refused: a person may be typing.
    """

    def __init__(self, answer: Callable[[str], str], greeting: str = "") -> None:
        self._answer = answer
        self.greeting = greeting.encode()
        self._pending = b""

    def receive(self, data: bytes) -> bytes:
        """Errors: `ValueError` if a line never ends."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        if len(self._pending) > MAX_LINE:
            raise ValueError(f"a line of more than {MAX_LINE} bytes")
        return b"".join(self._answer(line.decode("utf-8", "replace").rstrip("\r")).encode() for line in lines)

    def on_tick(self) -> bytes:
        """Nothing is said unasked."""
        return b""

    def close(self) -> None:
        """Nothing is remembered."""

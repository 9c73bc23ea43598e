"""The camera's side of the workcell's world port: questions in lines, answers in JSON."""

from __future__ import annotations

import json
import socket
from typing import Any

CONNECT_TIMEOUT = 1.0  # [s]
ANSWER_TIMEOUT = 2.0  # [s]; the world answers between two periods of the controller


class WorldLink:
    """One connection. Errors: `OSError` where the world is not there, or not any more."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._socket = socket.create_connection(address, CONNECT_TIMEOUT)
        self._socket.settimeout(ANSWER_TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._lines = self._socket.makefile("r")

    def ask(self, question: str) -> dict[str, Any]:
        """The answer to a question of the world's; empty for an order."""
        self._socket.sendall(f"{question}\n".encode())
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the workcell closed the connection")
        answer: dict[str, Any] = json.loads(line)
        if not answer["ok"]:
            raise ConnectionError(f"the workcell does not answer {question}: {answer['error']}")
        content: dict[str, Any] = answer.get(question, {})
        return content

    def close(self) -> None:
        """End the connection."""
        self._lines.close()
        self._socket.close()

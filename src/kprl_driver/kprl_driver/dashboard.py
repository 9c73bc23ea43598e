"""The controller's dashboard server: a line out, a line in, each with a time-out of our own."""

from __future__ import annotations

import socket
import time

from kprl.errors import KprlError

PORT = 29999
CONNECT_TIMEOUT = ANSWER_TIMEOUT = 2.0  # [s] for a connection, and for one answer
GREETING = "Universal Robots Dashboard Server"
MAX_LINE = 1 << 12  # [bytes]


class Dashboard:
    """One connection."""

    def __init__(self, host: str, timeout: float = ANSWER_TIMEOUT) -> None:
        """Errors: `KprlError` where no dashboard server answers there within twice `timeout` [s]."""
        self._where = f"{host}:{PORT} (dashboard)"
        self._socket = connect(host, PORT, "dashboard", timeout)
        self._pending = b""
        try:
            greeting = self._line(timeout)
            if GREETING not in greeting:
                raise KprlError(
                    f"{self._where} greets with {greeting[:60]!r}: expected '{GREETING}'; is robot_ip a UR controller?"
                )
        except KprlError:
            self.close()
            raise

    def ask(self, command: str, timeout: float = ANSWER_TIMEOUT) -> str:
        """The answer to a command. Errors: `KprlError` where none comes within `timeout` [s]."""
        try:
            self._socket.sendall(f"{command}\n".encode())
        except OSError as error:
            raise KprlError(f"{self._where} closed the connection ({error}): is the controller switched on?") from error
        return self._line(timeout)

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _line(self, timeout: float) -> str:
        deadline = time.monotonic() + timeout
        while b"\n" not in self._pending:
            self._socket.settimeout(max(1e-3, deadline - time.monotonic()))
            try:
                data = self._socket.recv(MAX_LINE)
            except TimeoutError:
                raise KprlError(
                    f"{self._where} accepted the connection and said nothing for {timeout:g} s: is robot_ip a UR "
                    "controller, and is it up?"
                ) from None
            except OSError as error:
                raise KprlError(f"{self._where} broke the connection ({error}): is it a UR controller?") from error
            if not data:
                raise KprlError(f"{self._where} closed the connection: is it a UR controller, and is it up?")
            self._pending += data
            if len(self._pending) > MAX_LINE:
                raise KprlError(f"{self._where} sends lines without an end: is robot_ip a UR controller?")
        line, _, self._pending = self._pending.partition(b"\n")
        return line.decode(errors="replace").strip()


def connect(host: str, port: int, name: str, timeout: float = CONNECT_TIMEOUT) -> socket.socket:
    """A TCP connection to a server of the robot. Errors: `KprlError` that says what is there instead."""
    try:
        return socket.create_connection((host, port), timeout)
    except TimeoutError:
        hint = f"no answer within {timeout:g} s: is the robot switched on, and is its address right?"
    except ConnectionRefusedError:
        hint = "the connection was refused: is the address right, and is the controller up?"
    except OSError as error:
        hint = f"{error}: is the address right?"
    raise KprlError(f"{host}:{port} ({name}): {hint}")

"""ur_rtde in a process of its own, driven over pipes.

Its constructors hold Python's global lock and may wait for ever: in this process they would freeze the fake that they
wait for, and no time-out could end them. A process can also be killed, which is what the watchdog is for.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from typing import Any

TIMEOUT = 15.0  # [s] for one call; a loaded machine needs a few for the first


class UrRtdeError(Exception):
    """What ur_rtde raised, or that it did not come back in time."""


class UrRtde:
    """`open("control")`, `open("receive")` or `open("dashboard")`, then `call(interface, method, *arguments)`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answers: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def open(self, interface: str, timeout: float = TIMEOUT, **arguments: Any) -> None:
        """Connect one of ur_rtde's clients."""
        self._ask({"open": interface, "address": self._address, "arguments": arguments}, timeout)

    def call(self, interface: str, method: str, *arguments: Any, timeout: float = TIMEOUT) -> Any:
        """Call a method and return what it returns."""
        return self._ask({"call": method, "on": interface, "arguments": arguments}, timeout)

    def control(self, method: str, *arguments: Any, timeout: float = TIMEOUT) -> Any:
        """A method of RTDEControlInterface."""
        return self.call("control", method, *arguments, timeout=timeout)

    def receive(self, method: str, *arguments: Any) -> Any:
        """A method of RTDEReceiveInterface."""
        return self.call("receive", method, *arguments)

    def dashboard(self, method: str, *arguments: Any) -> Any:
        """A method of DashboardClient."""
        return self.call("dashboard", method, *arguments)

    def kill(self) -> None:
        """SIGKILL: nothing is said to the robot."""
        self.process.kill()
        self.process.wait(TIMEOUT)

    def _ask(self, question: dict[str, Any], timeout: float) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        try:
            answer = json.loads(self._answers.get(timeout=timeout))
        except queue.Empty:
            raise UrRtdeError(f"no answer within {timeout} s to {question}") from None
        if "error" in answer:
            raise UrRtdeError(answer["error"])
        return answer["result"]

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("{"):  # ur_rtde prints there too
                self._answers.put(line)


def main() -> None:
    """The process itself."""
    from dashboard_client import DashboardClient
    from rtde_control import RTDEControlInterface
    from rtde_receive import RTDEReceiveInterface

    kinds = {"control": RTDEControlInterface, "receive": RTDEReceiveInterface, "dashboard": DashboardClient}
    opened = {}
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if "open" in question:
                kind = question["open"]
                opened[kind] = kinds[kind](question["address"], **question["arguments"])
                result = opened[kind].connect() if kind == "dashboard" else None
            else:
                result = getattr(opened[question["on"]], question["call"])(*question["arguments"])
            answer = {"result": result}
        except Exception as error:  # whatever the C++ throws is the answer
            answer = {"error": f"{type(error).__name__}: {error}"}
        print("\n" + json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

"""Events about processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from launch._standin.refusal import refuse_missing_names
from launch.event import Event

if TYPE_CHECKING:
    from launch.action import Action

__all__ = ["ProcessExited", "ProcessStarted"]


class _ProcessEvent(Event):
    """An event about one process.

    Attributes: `action` that started it, `process_name` with its number, `cmd`, `cwd`, `env`, `pid`.
    """

    def __init__(
        self,
        *,
        action: Action,
        name: str,
        cmd: list[str],
        cwd: str | None,
        env: dict[str, str],
        pid: int,
    ) -> None:
        self.action = action
        self.process_name = name
        self.cmd = cmd
        self.cwd = cwd
        self.env = env
        self.pid = pid


class ProcessStarted(_ProcessEvent):
    """A process started."""

    name = "launch.events.process.ProcessStarted"


class ProcessExited(_ProcessEvent):
    """A process ended; `returncode` is its exit code, or minus the signal that killed it."""

    name = "launch.events.process.ProcessExited"

    def __init__(self, *, returncode: int, **kwargs) -> None:
        super().__init__(**kwargs)
        self.returncode = returncode


__getattr__ = refuse_missing_names(__name__, __all__)

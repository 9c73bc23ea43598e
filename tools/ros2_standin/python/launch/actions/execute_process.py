"""A process as an action."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import launch.logging
from launch._standin.process import ManagedProcess
from launch._standin.refusal import Unsupported, public_name
from launch.action import Action
from launch.event_handler import Reaction, as_entities
from launch.event_handlers.on_process import OnProcessExit
from launch.event_handlers.on_shutdown import OnShutdown
from launch.events.process import ProcessExited, ProcessStarted
from launch.launch_description_entity import LaunchDescriptionEntity
from launch.some_substitutions_type import SomeSubstitutionsType
from launch.substitutions import LaunchConfiguration
from launch.utilities import _expand, _to_bool

if TYPE_CHECKING:
    from launch.launch_context import LaunchContext

DEFAULT_SIGTERM_TIMEOUT_S = 5
DEFAULT_SIGKILL_TIMEOUT_S = 5

# Where the two streams go: to the console, to launch.log.
_OUTPUTS = {
    "screen": {"stdout": (True, False), "stderr": (True, False)},
    "log": {"stdout": (False, True), "stderr": (True, True)},
    "both": {"stdout": (True, True), "stderr": (True, True)},
}
_numbers = itertools.count(1)


class ExecuteProcess(Action):
    """Runs a program until it ends or the launch does.

    At the end of the launch its process group gets SIGINT, after `sigterm_timeout` [s] SIGTERM, after
    `sigkill_timeout` [s] more SIGKILL.
    """

    def __init__(
        self,
        *,
        cmd: Iterable[SomeSubstitutionsType],
        name: SomeSubstitutionsType | None = None,
        cwd: SomeSubstitutionsType | None = None,
        env: Mapping[Any, SomeSubstitutionsType] | None = None,
        additional_env: Mapping[Any, SomeSubstitutionsType] | None = None,
        shell: bool = False,
        sigterm_timeout: SomeSubstitutionsType | None = None,
        sigkill_timeout: SomeSubstitutionsType | None = None,
        output: SomeSubstitutionsType = "log",
        on_exit: Reaction = None,
        respawn: bool | SomeSubstitutionsType = False,
        respawn_delay: float | None = None,
        respawn_max_retries: int = -1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if shell:
            raise Unsupported("shell=True", public_name(type(self)), ["shell=False"])
        self.cmd = list(cmd)
        self._name = name
        self._cwd = cwd
        self._env = env
        self._additional_env = dict(additional_env or {})
        self._output = output
        self._on_exit = on_exit
        self._respawn = respawn
        self._respawn_delay_s = respawn_delay or 0.0
        self._respawns_left = respawn_max_retries
        self._timeouts = (
            sigterm_timeout or LaunchConfiguration("sigterm_timeout", default=DEFAULT_SIGTERM_TIMEOUT_S),
            sigkill_timeout or LaunchConfiguration("sigkill_timeout", default=DEFAULT_SIGKILL_TIMEOUT_S),
        )
        self._stopping: asyncio.Event | None = None
        self._process: ManagedProcess | None = None
        self.process_details: dict[str, Any] | None = None
        self.return_code: int | None = None

    def get_sub_entities(self) -> list[LaunchDescriptionEntity]:
        return [] if callable(self._on_exit) else as_entities(self._on_exit)

    def final_command(self, context: LaunchContext) -> list[str]:
        """The command with all substitutions performed."""
        return [_expand(context, part) for part in self.cmd]

    def execute(self, context: LaunchContext) -> None:
        if self.process_details is not None:
            raise RuntimeError(f"process '{self.process_details['name']}' is started twice; use two actions")
        command = self.final_command(context)
        label = os.path.basename(command[0]) if self._name is None else _expand(context, self._name)
        output = os.environ.get("OVERRIDE_LAUNCH_PROCESS_OUTPUT") or self._output
        output = _expand(context, output) if not isinstance(output, Mapping) else output
        if not isinstance(output, str) or output not in _OUTPUTS:
            raise Unsupported(f"output={output!r}", public_name(type(self)), _OUTPUTS)
        self._destinations = _OUTPUTS[output]
        self._respawn = self._is_true(context, self._respawn)
        self._timeouts_s = [float(_expand(context, timeout)) for timeout in self._timeouts]
        self.process_details = {
            "name": f"{label}-{next(_numbers)}",
            "cmd": command,
            "cwd": None if self._cwd is None else _expand(context, self._cwd),
            "env": self._environment(context),
        }
        self._logger = launch.logging.get_logger(self.process_details["name"])
        self._stopping = asyncio.Event()
        if not context.is_shutdown:
            context.register_event_handler(OnShutdown(on_shutdown=self._stop))
            if self._on_exit is not None:
                context.register_event_handler(OnProcessExit(target_action=self, on_exit=self._on_exit))
            context._start(self._run(context))

    @staticmethod
    def _is_true(context: LaunchContext, value: bool | SomeSubstitutionsType) -> bool:
        return value if isinstance(value, bool) else _to_bool(_expand(context, value))

    def _environment(self, context: LaunchContext) -> dict[str, str]:
        base = dict(context.environment) if self._env is None else self._env
        both = {**base, **self._additional_env}
        # A plain text is taken as it is: the environment is long, and has nothing to expand.
        return {
            key if isinstance(key, str) else _expand(context, key): (
                value if isinstance(value, str) else _expand(context, value)
            )
            for key, value in both.items()
        }

    async def _run(self, context: LaunchContext) -> None:
        assert self._stopping is not None
        while not self._stopping.is_set() and not context.is_shutdown:
            await self._run_once(context)
            if not self._respawn or self._respawns_left == 0:
                return
            self._respawns_left -= 1
            try:
                await asyncio.wait_for(self._stopping.wait(), self._respawn_delay_s)
            except TimeoutError:
                continue

    async def _run_once(self, context: LaunchContext) -> None:
        assert self.process_details is not None
        details = {key: self.process_details[key] for key in ("name", "cmd", "cwd", "env")}
        try:
            process = ManagedProcess(details["cmd"], details["cwd"], details["env"], context._orphan_guard, self._show)
        except OSError as error:
            raise RuntimeError(f"process[{details['name']}] cannot start: {error}") from error
        self._process = process
        details["pid"] = self.process_details["pid"] = process.pid
        self._logger.info("process started with pid [%d]", process.pid)
        context.emit_event_sync(ProcessStarted(action=self, **details))
        self.return_code = await process.wait()
        for stream in ("stdout", "stderr"):
            launch.logging.end_progress(f"{details['name']}-{stream}", keep=True)
        if self.return_code == 0:
            self._logger.info("process has finished cleanly [pid %d]", process.pid)
        else:
            shown = " ".join(part for part in details["cmd"] if part.strip())
            self._logger.error(
                "process has died [pid %d, exit code %d, cmd '%s'].", process.pid, self.return_code, shown
            )
        context.emit_event_sync(ProcessExited(action=self, returncode=self.return_code, **details))
        if await process.stop_leftovers():
            self._logger.warning("killed what process[%s] had left running", details["name"])
        self._process = None

    def _show(self, stream: str, text: str, is_progress: bool) -> None:
        """A line of output to where it belongs."""
        assert self.process_details is not None
        name = self.process_details["name"]
        line = f"[{name}] {text}"
        to_console, to_file = self._destinations[stream]
        if to_console and is_progress:
            launch.logging.show_progress(f"{name}-{stream}", line)
        elif to_console:
            launch.logging.end_progress(f"{name}-{stream}", keep=False)
            launch.logging.write_to_console(line)
        if to_file and not is_progress:
            launch.logging.write_to_file(line)

    def _stop(self, event: Any, context: LaunchContext) -> None:
        assert self._stopping is not None
        if not self._stopping.is_set():
            self._stopping.set()
            if self._process is not None:
                context._start(self._escalate(self._process))

    async def _escalate(self, process: ManagedProcess) -> None:
        """SIGINT, then SIGTERM, then SIGKILL, each when the one before did not help in time."""
        assert self.process_details is not None
        name = self.process_details["name"]
        steps = zip((signal.SIGINT, signal.SIGTERM), self._timeouts_s, strict=True)
        for number, seconds in steps:
            if process.has_ended:
                return
            self._logger.info("sending signal '%s' to process[%s]", number.name, name)
            process.signal(number)
            if await process.ended_within(seconds):
                return
            self._logger.error("process[%s] still runs %g s after %s", name, seconds, number.name)
        self._logger.error("sending signal 'SIGKILL' to process[%s]", name)
        process.signal(signal.SIGKILL)

"""The loop that runs a launch: one event at a time, until nothing is left to do."""

from __future__ import annotations

import asyncio
import signal
import traceback
from collections.abc import Iterable

import launch.logging
from launch._standin.refusal import StrictKeywords
from launch.event import Event
from launch.event_handler import as_entities
from launch.events.process import ProcessExited
from launch.events.shutdown import Shutdown
from launch.launch_context import LaunchContext
from launch.launch_description import LaunchDescription
from launch.launch_description_entity import LaunchDescriptionEntity

EXIT_FAILED = 1
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class _Include(Event):
    """Internal: a description was handed to the service."""

    def __init__(self, *, description: LaunchDescription) -> None:
        self.description = description


class LaunchService(metaclass=StrictKeywords):
    """Runs launch descriptions."""

    def __init__(self, *, argv: Iterable[str] | None = None, noninteractive: bool = False, debug: bool = False) -> None:
        launch.logging.set_debug(debug)
        self.context = LaunchContext(argv=argv, noninteractive=noninteractive)
        self._logger = launch.logging.get_logger("launch")
        self._return_code = 0

    def include_launch_description(self, launch_description: LaunchDescription) -> None:
        """Visit a description when the service runs."""
        self.context.emit_event_sync(_Include(description=launch_description))

    def emit_event(self, event: Event) -> None:
        """Queue an event."""
        self.context.emit_event_sync(event)

    def shutdown(self) -> None:
        """Stop all processes, then end."""
        self._stop("LaunchService.shutdown() was called")

    def run(self) -> int:
        """Run until every process and timer ended; see `run_async` for the returned exit code."""
        return asyncio.run(self.run_async())

    async def run_async(self) -> int:
        """Run until every process and timer ended.

        Returns:
            0 where all went well or the user pressed Ctrl-C, 1 after an error and after the non-zero
            exit of a process that shut the launch down, 128 + N where signal N other than SIGINT
            ended the launch.
        """
        loop = asyncio.get_running_loop()
        for number in _STOP_SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)
        launch.logging.on_broken_output(lambda: self._stop("the output was closed"))
        self._logger.info("All log files can be found below %s", launch.logging.log_directory())
        try:
            await self._loop()
        finally:
            for number in _STOP_SIGNALS:
                loop.remove_signal_handler(number)
            self.context._close()
        if self.context._required_process_failed:
            self._return_code = self._return_code or EXIT_FAILED
        return self._return_code

    async def _loop(self) -> None:
        context = self.context
        while True:
            if context._queue.empty() and not context._tasks:
                if context.is_shutdown:
                    return
                self._stop("idle")
            event = await context._queue.get()
            try:
                if event is not None:
                    self._process(event)
                self._collect_finished()
            except Exception as error:  # whatever a launch file raised: stop the processes, then fail
                self._logger.debug("%s", traceback.format_exc())
                self._logger.error("%s", _one_line(error))
                self._return_code = EXIT_FAILED
                self._stop("error")

    def _process(self, event: Event) -> None:
        """Run every handler of an event, in the order of the context."""
        if isinstance(event, Shutdown):
            if self.context.is_shutdown:
                return
            self.context.is_shutdown = True
        if isinstance(event, _Include):
            self._visit(event.description)
            return
        if isinstance(event, ProcessExited):
            self._logger.debug("process[%s] exited with %d", event.process_name, event.returncode)
        for handler in tuple(self.context._handlers):
            if not handler.matches(event):
                continue
            before = self.context._locals
            try:
                for entity in as_entities(handler.handle(event, self.context)):
                    self._visit(entity)
            finally:
                self.context._locals = before

    def _visit(self, entity: LaunchDescriptionEntity) -> None:
        for sub_entity in entity.visit(self.context) or ():
            self._visit(sub_entity)

    def _collect_finished(self) -> None:
        """Forget finished work; raise what it raised."""
        finished = {task for task in self.context._tasks if task.done()}
        self.context._tasks -= finished
        for error in [task.exception() for task in finished if not task.cancelled()]:
            if error is not None:
                raise error

    def _stop(self, reason: str, *, due_to_sigint: bool = False) -> None:
        if not self.context.is_shutdown:
            self.context.emit_event_sync(Shutdown(reason=reason, due_to_sigint=due_to_sigint))

    def _on_signal(self, number: int) -> None:
        name = signal.Signals(number).name
        if self.context.is_shutdown:
            self._logger.warning("%s again: the processes are already being stopped", name)
            return
        if number == signal.SIGINT:
            self._logger.warning("user interrupted with ctrl-c (SIGINT)")
        else:
            self._logger.warning("received %s: stopping all processes", name)
            self._return_code = 128 + number
        self._stop(name, due_to_sigint=number == signal.SIGINT)


def _one_line(error: Exception) -> str:
    """An error as one line: its message alone where the message speaks for itself."""
    text = " ".join(str(error).split())
    plain = isinstance(error, RuntimeError | ValueError | ImportError | OSError) and text
    return text if plain else f"{type(error).__name__}: {text}"

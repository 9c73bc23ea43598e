"""What a running launch knows: configurations, environment, event handlers, running work."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import deque
from collections.abc import Coroutine, Iterable, MutableMapping
from types import SimpleNamespace
from typing import Any

from launch._standin.orphan_guard import OrphanGuard
from launch._standin.refusal import StrictKeywords
from launch.event import Event
from launch.event_handler import BaseEventHandler
from launch.substitution import Substitution


class LaunchContext(metaclass=StrictKeywords):
    """State of one launch; this is what an OpaqueFunction gets."""

    def __init__(self, *, argv: Iterable[str] | None = None, noninteractive: bool = False) -> None:
        self.argv = list(argv or [])
        self.noninteractive = noninteractive
        self.launch_configurations: dict[str, Any] = {}
        self.is_shutdown = False
        self._locals: dict[str, Any] = {}
        self._scopes: list[tuple[dict[str, Any], dict[str, str]]] = []
        self._handlers: deque[BaseEventHandler] = deque()
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._declared_arguments: set[str] = set()
        self._required_process_failed = False
        self._orphan_guard = OrphanGuard()
        self._temporary_folder: tempfile.TemporaryDirectory[str] | None = None

    # --- values -----------------------------------------------------------------------------------

    @property
    def environment(self) -> MutableMapping[str, str]:
        """Environment variables that processes inherit."""
        return os.environ

    def perform_substitution(self, substitution: Substitution) -> str:
        """Text of a substitution in this context."""
        return substitution.perform(self)

    @property
    def locals(self) -> SimpleNamespace:
        """Values of the current event and launch file, e.g. `context.locals.event`."""
        return SimpleNamespace(**self._locals)

    def get_locals_as_dict(self) -> dict[str, Any]:
        """The same values as a dictionary."""
        return self._locals

    def extend_locals(self, extensions: dict[str, Any]) -> None:
        """Add values until the current event has been handled."""
        self._locals = {**self._locals, **extensions}

    def _push_scope(self) -> None:
        self._scopes.append((dict(self.launch_configurations), dict(os.environ)))

    def _pop_scope(self) -> None:
        self.launch_configurations, environment = self._scopes.pop()
        os.environ.clear()
        os.environ.update(environment)

    # --- events -----------------------------------------------------------------------------------

    def register_event_handler(self, event_handler: BaseEventHandler, append: bool = False) -> None:
        """Add a handler, before the present ones unless `append`."""
        if append:
            self._handlers.append(event_handler)
        else:
            self._handlers.appendleft(event_handler)

    def unregister_event_handler(self, event_handler: BaseEventHandler) -> None:
        """Remove a handler."""
        self._handlers.remove(event_handler)

    def emit_event_sync(self, event: Event) -> None:
        """Queue an event; it is handled after the current one."""
        self._queue.put_nowait(event)

    async def emit_event(self, event: Event) -> None:
        """The same for coroutines."""
        self.emit_event_sync(event)

    # --- work that keeps the launch alive ---------------------------------------------------------

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine beside the event loop; the launch lasts at least until it ends."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(lambda _: self._queue.put_nowait(None))  # wakes the service
        return task

    def _folder_for_files(self) -> str:
        """A temporary folder, removed when the launch ends."""
        if self._temporary_folder is None:
            self._temporary_folder = tempfile.TemporaryDirectory(prefix="launch_params_")
        return self._temporary_folder.name

    def _close(self) -> None:
        self._orphan_guard.close()
        if self._temporary_folder is not None:
            self._temporary_folder.cleanup()

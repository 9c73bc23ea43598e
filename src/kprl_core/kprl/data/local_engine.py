"""Rendering by processes of this machine.

concurrent.futures' pool is not used: its workers outlive a killed parent, and Ctrl-C can leave it waiting for ever.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from kprl.data.config import GenerateConfig, WorldFactory
from kprl.data.render import render_shard
from kprl.errors import KprlError

EXIT_TIMEOUT = 5.0  # [s] for a worker to end by itself
Workers = dict[Connection, BaseProcess]


class LocalEngine:
    """Worker processes, each with a pipe to its parent: names of shards go in, progress and contents come out."""

    def render(
        self, config: GenerateConfig, make_world: WorldFactory, names: list[str], advance: Callable[[int], object]
    ) -> Generator[tuple[str, bytes], None, None]:
        """See `kprl.data.engine.Engine`."""
        waiting = list(reversed(names))
        with _started(config, make_world, min(config.workers, len(names))) as workers:
            running = {link: _hand_out(link, waiting) for link in workers}
            while any(running.values()):
                for link in connection.wait([link for link, name in running.items() if name]):
                    assert isinstance(link, Connection)
                    message = _receive(link, workers[link])
                    if isinstance(message, int):
                        advance(message)
                    else:
                        name, running[link] = running[link], _hand_out(link, waiting)
                        yield name, message


@contextmanager
def _started(config: GenerateConfig, make_world: WorldFactory, workers: int) -> Iterator[Workers]:
    context = multiprocessing.get_context("spawn")  # fork would copy a simulator that is not fork-safe
    started: Workers = {}
    try:
        with _without_interrupts():
            for _ in range(workers):
                link, other_end = context.Pipe()
                process = context.Process(target=_work, args=(other_end, config, make_world), daemon=True)
                process.start()
                other_end.close()  # now only the worker has it: its death ends the pipe
                started[link] = process
        yield started
    finally:
        for worker in started.values():
            worker.terminate()  # it writes no files: nothing is left half done
        for link, worker in started.items():
            _end(worker)
            link.close()


def _end(worker: BaseProcess) -> None:
    """Wait for a worker that was told to end, or has closed its pipe; one that does not is killed."""
    worker.join(EXIT_TIMEOUT)
    if worker.is_alive():
        worker.kill()
        worker.join(EXIT_TIMEOUT)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Ctrl-C takes effect afterwards. Processes that start within never hear it, although it reaches them too."""
    resource_tracker.ensure_running()  # its start would lift the block
    received: list[int] = []
    main_thread = threading.current_thread() is threading.main_thread()
    # The block is what new processes inherit; the handler is for signals that another thread of this process takes.
    handler = signal.signal(signal.SIGINT, lambda number, _: received.append(number)) if main_thread else None
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if main_thread:
            signal.signal(signal.SIGINT, handler)
        if received:
            signal.raise_signal(signal.SIGINT)


def _hand_out(link: Connection, waiting: list[str]) -> str:
    """Give a worker the next shard; its name, or "" if there is none."""
    name = waiting.pop() if waiting else ""
    if name:
        try:
            link.send(name)
        except OSError:
            pass  # a dead worker shows itself when it is listened to
    return name


def _receive(link: Connection, worker: BaseProcess) -> int | bytes:
    try:
        message = link.recv()
    except (EOFError, OSError):
        _end(worker)
        raise KprlError(
            f"a process of the image generation died (exit status {worker.exitcode}; -9: out of memory?): start it "
            "again with fewer workers, finished shards are kept"
        ) from None
    if isinstance(message, KprlError):
        raise message
    return message


def _work(link: Connection, config: GenerateConfig, make_world: WorldFactory) -> None:
    """A worker's life: it ends when its parent closes the pipe, also by dying."""
    try:
        world = make_world(config)
        while True:
            link.send(render_shard(config, world, link.recv(), lambda: link.send(1)))
    except KprlError as error:
        link.send(error)
    except (EOFError, ConnectionError):
        pass

"""Worlds in processes of their own: what runs there, the owner's handle of one, and all of them with replacements.

Commands and answers go through a pipe, observations through shared memory. One command has one answer; the
answer comes after the observation was written, so that whoever has it may read.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnContext
from typing import Any, NamedTuple

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector.utils import create_shared_memory, read_from_shared_memory, write_to_shared_memory

import kprl.envs  # noqa: F401  (registers the environments)
from kprl.errors import KprlError

START_TIMEOUT_S = 120.0
"""How long a new worker may take to its first answer: imports, the physics world, the first reset."""
EXIT_TIMEOUT_S = 5.0
"""How long workers may take to end by themselves before they are killed."""
MAX_CRASHES = 3
"""A world may crash this many times without finishing an episode; once more ends everything."""

Begin = tuple[int, dict[str, Any]]  # seed and reset options of an episode


class Answer(NamedTuple):
    """What `reset` or `step` of a world gave, but for the observation; a reset's first three are 0 and False."""

    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


class WorkerLost(Exception):
    """A worker died, failed or fell silent; its message says which of these and how."""


class Worker:
    """A spawned process that runs one world (fork would copy a physics engine that is not made for it)."""

    def __init__(
        self,
        context: SpawnContext,
        index: int,
        spec: EnvSpec,
        kwargs: dict[str, Any],
        memory: Any,
        answer_timeout_s: float,
    ) -> None:
        """Start it. It writes observations to row `index` of `memory`, see `gymnasium.vector.utils`."""
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=run_worker, args=(index, spec, kwargs, memory, theirs), name=f"world-{index}", daemon=True
        )
        self._process.start()
        theirs.close()  # else a dead worker's pipe would never end
        self._answer_timeout_s, self._first = answer_timeout_s, True
        self._sent_at = time.monotonic()

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process.pid is not None
        return self._process.pid

    def begin(self, seed: int, options: dict[str, Any]) -> None:
        """Ask for a new episode."""
        self._send(("begin", seed, options))

    def step(self, action: np.ndarray) -> None:
        """Ask for one step under an action (A,)."""
        self._send(("step", action))

    def answer(self) -> Answer:
        """Wait for the answer to the last request.

        Raises:
            WorkerLost: it died, an exception ended it, or it did not answer in time.
            KprlError: the world refused, in words that are meant for the user.
        """
        limit = START_TIMEOUT_S if self._first else self._answer_timeout_s
        try:
            if not self._pipe.poll(max(0.0, self._sent_at + limit - time.monotonic())):
                raise WorkerLost(f"it gave no answer for {limit:g} s")
            kind, value = self._pipe.recv()
        except (EOFError, OSError):
            raise WorkerLost(self._death()) from None
        if kind == "refused":
            raise KprlError(value)
        if kind == "failed":
            raise WorkerLost(value)
        self._first = False
        return Answer(*value)

    def dismiss(self) -> None:
        """Let it end by itself: it sees the end of the pipe."""
        self._pipe.close()

    def end(self, timeout_s: float) -> None:
        """Be rid of it: wait for `timeout_s` [s] after `dismiss`, then kill it."""
        self._pipe.close()
        self._process.join(timeout_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(EXIT_TIMEOUT_S)

    def _send(self, message: tuple[Any, ...]) -> None:
        self._sent_at = time.monotonic()
        with suppress(OSError):  # `answer` finds out how it died
            self._pipe.send(message)

    def _death(self) -> str:
        self._process.join(EXIT_TIMEOUT_S)
        code = self._process.exitcode
        if code is None:
            return "it closed its pipe"
        if code < 0:
            return f"it was killed by {signal.Signals(-code).name}"
        return f"it ended with exit code {code}"


class Workers:
    """One worker a world; a lost one is replaced, with a warning, until its world crashed MAX_CRASHES times.

    Any other exception may leave answers unread that the next call would take for its own: `close` them then.
    """

    def __init__(
        self, spec: EnvSpec, kwargs: dict[str, Any], space: spaces.Dict, worlds: int, answer_timeout_s: float
    ) -> None:
        """Start them; each runs `gymnasium.make(spec, **kwargs)`, whose observations lie in `space`."""
        self._context = multiprocessing.get_context("spawn")
        memory: Any = create_shared_memory(space, n=worlds, ctx=self._context)  # type: ignore[arg-type]
        rows = read_from_shared_memory(space, memory, n=worlds)
        assert isinstance(rows, dict)
        self.rows: dict[str, npt.NDArray[Any]] = rows  # (worlds, ...) what each world last delivered: copy, do not keep
        self._arguments = (spec, kwargs, memory, answer_timeout_s)
        self._crashes = [0] * worlds  # of each world since it last finished an episode
        self._workers: list[Worker] = []
        for world in range(worlds):
            self._workers.append(Worker(self._context, world, *self._arguments))

    @property
    def pids(self) -> list[int]:
        """Process ids in the order of the worlds."""
        return [worker.pid for worker in self._workers]

    def begin(self, worlds: list[int], how: Callable[[int], Begin]) -> dict[int, dict[str, Any]]:
        """Begin an episode in each of `worlds`, again where a worker was lost over it; their infos by world."""
        infos: dict[int, dict[str, Any]] = {}
        pending = worlds
        while pending:
            for world in pending:
                self._workers[world].begin(*how(world))
            answers = {world: self._answer(world) for world in pending}
            infos |= {world: answer.info for world, answer in answers.items() if answer}
            pending = [world for world, answer in answers.items() if not answer]
        return infos

    def step(self, actions: npt.NDArray[np.float32]) -> list[Answer | None]:
        """Step all worlds under actions (worlds, A); None where the worker was lost and must begin an episode."""
        for worker, action in zip(self._workers, actions, strict=True):
            worker.step(action)
        answers = [self._answer(world) for world in range(len(self._workers))]
        for world, answer in enumerate(answers):
            if answer and (answer.terminated or answer.truncated):
                self._crashes[world] = 0
        return answers

    def close(self) -> None:
        """End all; those that take longer than EXIT_TIMEOUT_S altogether are killed."""
        for worker in self._workers:
            worker.dismiss()
        deadline = time.monotonic() + EXIT_TIMEOUT_S
        for worker in self._workers:
            worker.end(max(0.0, deadline - time.monotonic()))

    def _answer(self, world: int) -> Answer | None:
        try:
            return self._workers[world].answer()
        except WorkerLost as lost:
            self._replace(world, str(lost))
            return None

    def _replace(self, world: int, why: str) -> None:
        old = self._workers[world]
        old.end(0.0)
        self._crashes[world] += 1
        what = f"worker {world} (process {old.pid}) was lost: {why}"
        if self._crashes[world] > MAX_CRASHES:
            raise KprlError(
                f"{what}; it crashed {self._crashes[world]} times without finishing an episode: look for its message"
                " above or for a lack of memory"
            )
        warnings.warn(f"{what}; its episode is dropped and it is started again", RuntimeWarning, stacklevel=2)
        self._workers[world] = Worker(self._context, world, *self._arguments)


def run_worker(index: int, spec: EnvSpec, kwargs: dict[str, Any], memory: Any, pipe: Connection) -> None:
    """Make the environment and answer the pipe until its other end closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the owner, which closes the pipe
    threading.Thread(target=_leave_with_owner, daemon=True).start()
    # An owner that is gone needs no answer.
    with suppress(BrokenPipeError, ConnectionResetError):
        try:
            _answer(index, spec, kwargs, memory, pipe)
        except KprlError as error:
            pipe.send(("refused", str(error)))
        except Exception as error:
            traceback.print_exc()
            pipe.send(("failed", f"it raised {type(error).__name__}: {error}"))


def _answer(index: int, spec: EnvSpec, kwargs: dict[str, Any], memory: Any, pipe: Connection) -> None:
    env = gymnasium.make(spec, **kwargs)
    try:
        while True:
            try:
                command, *arguments = pipe.recv()
            except (EOFError, ConnectionResetError):
                return
            if command == "begin":
                seed, options = arguments
                observation, info = env.reset(seed=seed, options=options)
                answer = Answer(0.0, False, False, info)
            else:
                observation, reward, terminated, truncated, info = env.step(*arguments)
                answer = Answer(float(reward), bool(terminated), bool(truncated), info)
            write_to_shared_memory(env.observation_space, index, observation, memory)
            pipe.send(("done", tuple(answer)))
    finally:
        env.close()


def _leave_with_owner() -> None:
    """End this process when its owner dies, also in the middle of a step that never ends."""
    owner = parent_process()
    assert owner is not None
    owner.join()
    os._exit(1)

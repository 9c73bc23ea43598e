"""Where jobs run: in this process one by one, or on a Ray, each in a fresh process of one of its machines."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from kprl.data.code_identity import code_identity, require_same_code
from kprl.data.ray_engine import connected
from kprl.errors import KprlError
from kprl.experiments.attempt import attempt
from kprl.experiments.plan import Job
from kprl.files import read_json

IDENTITY = "experiment.json"
CANCEL_TIMEOUT = 20.0  # [s] for the process of a task that is given up to end
MARK = "mark"  # entry of that file: a random text that tells this folder from any other


class Pool(Protocol):
    """Runs up to `size` jobs at a time."""

    size: int

    def start(self, job: Job) -> None:
        """Begin an attempt at a job."""

    def wait(self) -> list[tuple[str, str]]:
        """Name and error ("" for none) of the attempts that have ended; waits for at least one."""


class SerialPool:
    """One job at a time, in this process."""

    size = 1

    def __init__(self, root: Path) -> None:
        self._root = root
        self._next: list[Job] = []

    def start(self, job: Job) -> None:
        """See `Pool`."""
        self._next.append(job)

    def wait(self) -> list[tuple[str, str]]:
        """See `Pool`."""
        job = self._next.pop()
        return [(job.name, attempt(job, self._root))]


class RayPool:
    """Tasks of a Ray."""

    def __init__(self, ray: ModuleType, root: Path, size: int, timeout: float, code: dict[str, str]) -> None:
        """`timeout` [s]: of one attempt. `code`: what the workers' code must be, {} if it is the same anyway."""
        self.size = size
        self._ray, self._root, self._timeout, self._code = ray, root, timeout, code
        self._mark = read_json(root / IDENTITY)[MARK]
        # max_calls: what a job leaves in its process (threads, caches, torch's settings) is not the next one's.
        self._task = ray.remote(max_calls=1)(_task)
        self._running: dict[Any, tuple[str, float]] = {}  # name and time at which the attempt is given up

    def start(self, job: Job) -> None:
        """See `Pool`."""
        task = self._task.options(num_cpus=1, num_gpus=job.gpus, max_retries=0)  # whoever calls this counts retries
        reference = task.remote(job, self._root, self._mark, self._code)
        self._running[reference] = (job.name, time.monotonic() + self._timeout)

    def wait(self) -> list[tuple[str, str]]:
        """See `Pool`."""
        next_deadline = min(deadline for _, deadline in self._running.values())
        ready, _ = self._ray.wait(list(self._running), timeout=max(0.0, next_deadline - time.monotonic()))
        if ready:
            return [(self._running.pop(reference)[0], self._error(reference)) for reference in ready]
        late = [reference for reference, (_, deadline) in self._running.items() if deadline <= time.monotonic()]
        return [(self._running.pop(reference)[0], self._give_up(reference)) for reference in late]

    def close(self) -> None:
        """End what still runs."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)

    def _error(self, reference: Any) -> str:
        try:
            return str(self._ray.get(reference))
        except self._ray.exceptions.RayTaskError as error:
            hint = "on every machine of a cluster, run 'make setup' and 'source setup.bash' before 'ray start'"
            return f"a worker of Ray could not begin ({' '.join(str(error.cause).split())}): {hint}"
        except self._ray.exceptions.RayError as error:
            return f"lost with its worker of Ray ({type(error).__name__}; out of memory?): try a smaller --parallel"

    def _give_up(self, reference: Any) -> str:
        self._ray.cancel(reference, force=True)
        self._ray.wait([reference], timeout=CANCEL_TIMEOUT)  # the next attempt wants its locks
        return f"did not end within {self._timeout:g} s (the preset's cell_timeout)"


@contextmanager
def ray_pool(root: Path, address: str, size: int, timeout: float) -> Iterator[RayPool]:
    """A pool on the Ray at `address`, or on one of its own; see `kprl.data.ray_engine.connected`."""
    with connected(address, size) as ray:
        pool = RayPool(ray, root, size, timeout, code_identity() if address else {})
        try:
            yield pool
        finally:
            pool.close()


def _task(job: Job, root: Path, mark: str, code: dict[str, str]) -> str:
    check: Callable[[], None] = partial(_check, root, mark, code)
    return attempt(job, root, check)


def _check(root: Path, mark: str, code: dict[str, str]) -> None:
    if code:
        require_same_code(code)
    path = root / IDENTITY
    if not path.is_file() or read_json(path).get(MARK) != mark:
        raise KprlError(
            f"{platform.node()} does not see {root} as the machine that runs the experiment does: "
            "on a cluster, --out must be a folder that all machines share"
        )

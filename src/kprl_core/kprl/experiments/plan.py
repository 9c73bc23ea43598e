"""What an experiment consists of: cells, and the jobs that make them, each job once however many cells need it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class Job(Protocol):
    """A piece of work with a folder of its own."""

    @property
    def name(self) -> str:
        """Its folder, relative to the experiment's."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the jobs whose results it reads."""

    @property
    def gpus(self) -> float:
        """Share of a GPU that it asks of a cluster."""

    def run(self, root: Path) -> dict[str, Any]:
        """Do it, or go on with it, in `root / name`; returns its result as JSON values.

        A cell's result has `points` (evaluations, a row of results.csv each) and `final` (figures of the table).
        `minutes` may say how long it took with interruptions left out; otherwise those of the last attempt count.
        """


@dataclass(frozen=True)
class Cell:
    """One point of the grid."""

    task: str
    method: str
    seed: int
    job: str  # that makes its result

    @property
    def label(self) -> str:
        """As people read it."""
        return f"{self.task} {self.method} seed {self.seed}"


@dataclass(frozen=True)
class Plan:
    """All of an experiment: `data` before the rest, for it is shared out among workers by itself."""

    data: tuple[Job, ...]
    jobs: tuple[Job, ...]  # each after those that it needs
    cells: tuple[Cell, ...]


def make_plan(data: Iterable[Job], made: Iterable[tuple[Cell, Sequence[Job]]]) -> Plan:
    """Collect cells with the jobs that each needs; jobs of one name are one job.

    Errors: ValueError if two different jobs have one name, or one needs what comes later or not at all.
    """
    jobs: dict[str, Job] = {}
    cells = []
    shared = _by_name(data)
    for cell, needed in made:
        cells.append(cell)
        for job in needed:
            if jobs.setdefault(job.name, job) != job:
                raise ValueError(f"two different jobs are called {job.name}")
    known = set(shared)
    for job in jobs.values():
        if missing := set(job.needs) - known:
            raise ValueError(f"{job.name} needs {', '.join(sorted(missing))}, which no job before it makes")
        known.add(job.name)
    return Plan(tuple(shared.values()), tuple(jobs.values()), tuple(cells))


def _by_name(jobs: Iterable[Job]) -> dict[str, Job]:
    return {job.name: job for job in jobs}

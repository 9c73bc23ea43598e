"""Run jobs in the order that their needs allow; try failed ones again, go on with the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kprl.experiments.attempt import is_done
from kprl.experiments.plan import Job
from kprl.experiments.pools import Pool


@dataclass(frozen=True)
class Outcome:
    """How a job ended."""

    error: str = ""  # of its last attempt; "" if it is done
    attempts: int = 0  # in this run; 0 for one that was done before, or that what it needs kept from beginning


OnEnd = Callable[[Job, Outcome], None]


def run_jobs(
    jobs: Sequence[Job],
    root: Path,
    pool: Pool,
    retries: int,
    outcomes: dict[str, Outcome],
    on_end: OnEnd = lambda job, outcome: None,
) -> None:
    """Fill `outcomes`, by name, with one for each job. Each job comes after those that it needs, whose outcomes, where
    they are not among `jobs`, are in it already.

    A job whose result file exists is done. One that fails is tried `retries` times more; then those that need it
    fail too, without an attempt. `on_end` is called for each job that is done or given up.
    """
    waiting = {job.name: job for job in jobs}
    running: dict[str, Job] = {}
    failed_attempts = dict.fromkeys(waiting, 0)

    def end(job: Job, outcome: Outcome) -> None:
        outcomes[job.name] = outcome
        on_end(job, outcome)

    for job in jobs:
        if is_done(job, root):
            end(waiting.pop(job.name), Outcome())
    while waiting or running:
        for job in list(waiting.values()):
            ended = [name for name in job.needs if name in outcomes]
            if failed := [name for name in ended if outcomes[name].error]:
                reason = f"not begun: it needs {failed[0]}, which failed: {outcomes[failed[0]].error}"
                end(waiting.pop(job.name), Outcome(reason))
            elif len(ended) == len(job.needs) and len(running) < pool.size:
                running[job.name] = waiting.pop(job.name)
                pool.start(job)
        if not running:
            if waiting:
                raise ValueError(f"{next(iter(waiting))} comes before what it needs, or that is missing")
            break  # the last ones were given up for what they need
        for name, error in pool.wait():
            job = running.pop(name)
            failed_attempts[name] += bool(error)
            if error and failed_attempts[name] <= retries:
                waiting = {name: job, **waiting}  # first again: it may hold up others
            else:
                end(job, Outcome(error, failed_attempts[name] + (not error)))

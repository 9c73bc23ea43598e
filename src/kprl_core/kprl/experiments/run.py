"""Run an experiment in a folder: a grid of cells, resumable, with results that are written after each cell.

<out>/experiment.json   what it is and its settings; another one is refused
<out>/results.csv       a row a cell and evaluation point     summary.csv  mean and variance
<out>/results.md        table, failures, what was not run     <name>.png   mean and spread
<out>/data, representations, policies, ablation, real         a folder a job: result.json, log.txt
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from kprl.errors import KprlError
from kprl.experiments.attempt import RESULT, is_done
from kprl.experiments.experiment import Experiment, Setting
from kprl.experiments.plan import Job, Plan
from kprl.experiments.plots import plot
from kprl.experiments.pools import IDENTITY, MARK, SerialPool, ray_pool
from kprl.experiments.report import report
from kprl.experiments.results import CellResult, collect, write_results, write_summary
from kprl.experiments.scheduler import Outcome, run_jobs
from kprl.files import atomic_file, disk_errors, read_json, sha256_of, write_json
from kprl.locks import sole_holder

LOCK = ".experiment.lock"
NOT_SETTINGS = ("seeds", "first_tasks", "first_methods", "cell_timeout", "retries")
"""Of a preset: they say how many cells are run, and how often they are tried, not what a cell is."""


@dataclass(frozen=True)
class Run:
    """One call of `kprl experiment`."""

    experiment: Experiment
    setting: Setting
    preset_name: str
    out: Path
    command: str  # as results.md shows it
    serial: bool = False  # in this process, one by one


def run_experiment(run: Run) -> list[CellResult]:
    """Do what is not done yet and write the results; returns those of all cells.

    Errors: `KprlError` if the folder belongs to another experiment, or at the end if cells failed, with their names:
    all others are done by then, and the same command tries the failed ones again. An interrupt is raised once what
    there is has been written.
    """
    out = run.out.absolute()
    plan = run.experiment.plan(run.setting)
    outcomes: dict[str, Outcome] = {}
    began = time.monotonic()
    with sole_holder(out, LOCK, "kprl experiment"):
        _claim(out, run)

        def write() -> list[CellResult]:
            with disk_errors(out, "free some space, and give the same command again"):
                return _write(out, run, plan, outcomes, (time.monotonic() - began) / 60)

        try:
            _run(out, run, plan, outcomes, write)
        finally:
            results = write()
    failed = [each.cell.label for each in results if each.status == "failed"]
    if failed:
        raise KprlError(
            f"{len(failed)} of {len(results)} cells failed: {', '.join(failed)}: why is in {run.out / 'results.md'}; "
            "the same command tries them again"
        )
    return results


def _run(out: Path, run: Run, plan: Plan, outcomes: dict[str, Outcome], write: Callable[[], object]) -> None:
    preset, setting = run.setting.preset, run.setting
    cells = {cell.job: cell for cell in plan.cells}
    with tqdm(total=len(plan.data) + len(plan.jobs), desc=run.experiment.name, unit="job") as bar:

        def on_end(job: Job, outcome: Outcome) -> None:
            bar.update()
            if outcome.error:
                bar.write(f"kprl: {job.name} failed: {outcome.error}", file=sys.stderr)
            elif outcome.attempts:
                bar.write(f"{job.name}: {read_json(out / job.name / RESULT)['minutes']:.1f} minutes", file=sys.stderr)
            if job.name in cells and (outcome.error or outcome.attempts):
                write()

        serial = SerialPool(out)
        if run.serial or all(is_done(job, out) for job in (*plan.data, *plan.jobs)):  # then no Ray is needed
            run_jobs((*plan.data, *plan.jobs), out, serial, preset.retries, outcomes, on_end)
            return
        with ray_pool(out, setting.address, setting.workers, preset.cell_timeout) as pool:
            # From here: the images of one data set are shared out among all workers.
            run_jobs(plan.data, out, serial, preset.retries, outcomes, on_end)
            run_jobs(plan.jobs, out, pool, preset.retries, outcomes, on_end)


def _claim(out: Path, run: Run) -> None:
    """Write experiment.json, or see that it is of the same experiment.

    Errors: `KprlError` that names the first difference.
    """
    path = out / IDENTITY
    expected = json.loads(json.dumps(_identity(run)))
    if path.is_file():
        found = read_json(path)
        for name, value in _flat(expected).items():
            there = _flat(found).get(name)
            if there != value:
                raise KprlError(
                    f"{run.out} holds an experiment with {name} {there}, not {value}: "
                    "go on with its own settings, or choose another --out"
                )
        return
    if foreign := sorted(each.name for each in out.iterdir() if not each.name.startswith(".")):
        raise KprlError(f"{run.out} is not empty ({foreign[0]}) and holds no {IDENTITY}: choose another --out")
    write_json(path, expected | {MARK: secrets.token_hex(8)})


def _identity(run: Run) -> dict[str, Any]:
    """What all cells of one folder have in common. More tasks, methods and seeds may be added to it."""
    setting = run.setting
    preset = {name: value for name, value in asdict(setting.preset).items() if name not in NOT_SETTINGS}
    return {
        "experiment": run.experiment.name,
        **preset,
        "pretrained_sha256": sha256_of(setting.pretrained) if setting.pretrained else None,
        "bundle": str(setting.bundle.absolute()) if setting.bundle else None,
    }


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Nested settings by dotted names, so that an error names one."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            flat[name] = value
    return flat


def _write(out: Path, run: Run, plan: Plan, outcomes: dict[str, Outcome], minutes: float) -> list[CellResult]:
    experiment, setting = run.experiment, run.setting
    results = collect(plan, out, outcomes)
    write_results(out / "results.csv", experiment, results)
    write_summary(out / "summary.csv", experiment, setting.tasks, setting.methods, results)
    plot(out / f"{experiment.name}.png", experiment, setting.tasks, setting.methods, results)
    text = report(experiment, setting, run.preset_name, run.command, results, _shared(out, plan), minutes)
    with atomic_file(out / "results.md") as path:
        path.write_text(text)
    return results


def _shared(out: Path, plan: Plan) -> dict[str, float]:
    """Minutes of the jobs that are done and are no cells."""
    cells = {cell.job for cell in plan.cells}
    jobs = [job for job in (*plan.data, *plan.jobs) if job.name not in cells and is_done(job, out)]
    return {job.name: float(read_json(out / job.name / RESULT)["minutes"]) for job in jobs}

"""A figure or table of the paper as the runner sees it: tasks, methods, measures, and how its cells are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from kprl.errors import require_choice
from kprl.experiments.jobs import DataJob, World
from kprl.experiments.plan import Cell, Job, Plan, make_plan
from kprl.experiments.presets import ExperimentPreset

PAPER_SEEDS = 10  # "All simulations are run 10 times" (IV-A)


@dataclass(frozen=True)
class Metric:
    """A figure of a cell's `final`, and how it is shown."""

    key: str
    title: str
    form: str = ".2f"  # of a mean; "%": as percentage


@dataclass(frozen=True)
class Setting:
    """What an experiment runs with."""

    preset: ExperimentPreset
    tasks: tuple[str, ...]
    methods: tuple[str, ...]
    workers: int
    address: str = ""
    gpus: float = 0.0  # share of one that each training of a representation asks of the cluster
    pretrained: Path | None = None
    bundle: Path | None = None


CellJobs = tuple[Cell, list[Job]]


@dataclass(frozen=True)
class Experiment:
    """One figure or table."""

    name: str
    title: str
    tasks: tuple[str, ...]
    methods: tuple[str, ...]
    metrics: tuple[Metric, ...]
    columns: tuple[str, ...]  # of results.csv, beside those that name the cell
    has_curves: bool
    notes: tuple[str, ...]  # what results.md says of how it was done
    make: Callable[[Setting, dict[str, DataJob]], Iterator[CellJobs]]
    worlds: Callable[[Setting], dict[str, World]]  # whose images are needed

    def plan(self, setting: Setting) -> Plan:
        """All jobs and cells for the setting's tasks, methods and seeds."""
        preset = setting.preset
        data = {
            key: DataJob(world, preset.images, setting.workers, setting.address)
            for key, world in self.worlds(setting).items()
        }
        return make_plan(data.values(), self.make(setting, data))


def choose(experiment: Experiment, preset: ExperimentPreset, tasks: tuple[str, ...], methods: tuple[str, ...],
           seeds: int | None) -> tuple[ExperimentPreset, tuple[str, ...], tuple[str, ...]]:  # fmt: skip
    """The preset with `seeds`, tasks and methods as named, in the experiment's order; () and None: the preset's.

    Errors: `KprlError` for an unknown name.
    """
    for kind, given, known in (("task", tasks, experiment.tasks), ("method", methods, experiment.methods)):
        for name in given:
            require_choice(f"{kind} of {experiment.name}", name, known)
    chosen_tasks = tuple(t for t in experiment.tasks if t in tasks) or experiment.tasks[: preset.first_tasks]
    chosen_methods = tuple(m for m in experiment.methods if m in methods) or experiment.methods[: preset.first_methods]
    return replace(preset, seeds=preset.seeds if seeds is None else seeds), chosen_tasks, chosen_methods

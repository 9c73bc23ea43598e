"""`kprl experiment`: the paper's figures and tables."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from kprl.commands.shown import require_at_least
from kprl.errors import KprlError

if TYPE_CHECKING:
    from kprl.experiments.experiment import Experiment


@dataclass(frozen=True)
class Grid:
    """What is run, where, and how often it is tried."""

    out: Path
    """Folder for results.csv, results.md, the picture and all that is trained. The same command goes on in it."""
    preset: Literal["smoke", "cpu", "paper"] = "cpu"
    """smoke: every stage for a moment; cpu: hours on two cores; paper: the paper's sizes and 10 seeds."""
    seeds: int | None = None
    """Repetitions of each cell, instead of the preset's."""
    tasks: tuple[str, ...] = ()
    """Tasks to run, instead of all (smoke: the first)."""
    methods: tuple[str, ...] = ()
    """Methods to run, instead of all (smoke: the first two)."""
    parallel: int | None = None
    """Cells to train at a time, a CPU each; as many as this machine has cores if not given."""
    address: str = ""
    """Of a Ray cluster, as for `kprl data generate`; out must then be a folder that all its machines share."""
    gpus: float = 0.0
    """With address: share of a GPU that each training of a representation asks of the cluster."""
    retries: int | None = None
    """Further attempts at a cell that failed, instead of the preset's."""


@dataclass(frozen=True)
class ScenarioGrid:
    """The same for table1, which runs in real time, one cell after the other."""

    out: Path
    """Folder for results.csv, results.md, the picture and each launch's files. The same command goes on in it."""
    preset: Literal["smoke", "cpu", "paper"] = "cpu"
    """smoke: one episode; cpu: 10 episodes of 3 seeds; paper: of 10 seeds."""
    seeds: int | None = None
    """Repetitions of each cell on other scenes, instead of the preset's."""
    tasks: tuple[str, ...] = ()
    """Scenarios to run, GB, GB-N or GT, instead of all (smoke: the first)."""
    retries: int | None = None
    """Further attempts at a cell that failed, instead of the preset's."""
    bundle: Path | None = None
    """Bundle for all scenarios; if not given, those of models/ for their scenes."""


Options = Annotated[Grid, tyro.conf.arg(name="")]
ScenarioOptions = Annotated[ScenarioGrid, tyro.conf.arg(name="")]


def fig7(options: Options, pretrained: Path | None = None) -> None:
    """Compare keypoints with VAE, AE and AE-FT as representations on three tasks.

    Args:
        options: What is run.
        pretrained: File of ResNet-18's ImageNet weights for ae-ft; otherwise torch hub's cache.
    """
    from kprl.experiments.figures import FIG7
    from kprl.representations.pretrained import cached_weights

    if pretrained is not None and not pretrained.is_file():
        raise KprlError(f"{pretrained} is not a file: expected ResNet-18's weights")
    weights = pretrained or cached_weights()
    _run(FIG7, options, pretrained=weights.absolute() if weights else None)


def fig8(options: Options) -> None:
    """Compare 8, 10, 12 and 14 keypoints on the grasping task."""
    from kprl.experiments.figures import FIG8

    _run(FIG8, options)


def fig10(options: Options) -> None:
    """Compare learning to grasp a rectangle and a computer mouse from scratch and from the cube's policy."""
    from kprl.experiments.figures import FIG10

    _run(FIG10, options)


def table1(options: ScenarioOptions) -> None:
    """Run bundles zero-shot on the whole real stack with fake hardware: GB, GB-N and GT. Needs ROS 2."""
    from kprl.experiments.figures import TABLE1
    from kprl.experiments.real_job import require_ros

    require_ros()
    _run(TABLE1, options, bundle=options.bundle)


def ablation(options: Options) -> None:
    """Measure what each loss, each departure from the paper, K and the representation buy the keypoints."""
    from kprl.experiments.figures import ABLATION

    _run(ABLATION, options)


def _run(experiment: Experiment, options: Grid | ScenarioGrid, **more: Path | None) -> None:
    import os

    from kprl.experiments.experiment import Setting, choose
    from kprl.experiments.presets import experiment_preset
    from kprl.experiments.run import Run, run_experiment

    serial = isinstance(options, ScenarioGrid)
    methods = () if isinstance(options, ScenarioGrid) else options.methods
    preset, tasks, methods = choose(
        experiment, experiment_preset(options.preset), options.tasks, methods, options.seeds
    )
    if options.retries is not None:
        preset = replace(preset, retries=options.retries)
    workers, placed = 1, {}
    if isinstance(options, Grid):
        workers = len(os.sched_getaffinity(0)) if options.parallel is None else options.parallel
        require_at_least("parallel", workers, 1)
        if options.gpus and not options.address:
            raise KprlError(
                f"gpus is {options.gpus:g}, which is asked of a cluster: give its --address, or leave it out"
            )
        placed = {"address": options.address, "gpus": options.gpus}
    setting = Setting(preset, tasks, methods, workers, **placed, **more)  # type: ignore[arg-type]
    command = _command(experiment.name, options, {} if serial else more)
    results = run_experiment(Run(experiment, setting, options.preset, options.out, command, serial))
    print(f"cells done: {len(results)}\nwrote {options.out / 'results.md'}")


def _command(name: str, options: Grid | ScenarioGrid, more: dict[str, Path | None]) -> str:
    """The command line that has these options: what is not at its default."""
    words = ["kprl", "experiment", name]
    given: dict[str, Any] = {field.name: getattr(options, field.name) for field in fields(options)}
    defaults = {field.name: field.default for field in fields(options)} | {"preset": None}
    for key, value in (given | more).items():
        if value is not None and value != defaults.get(key):
            words += [f"--{key}", *(value if isinstance(value, tuple) else [str(value)])]
    return shlex.join(words)

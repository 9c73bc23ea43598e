"""The paper's figures and tables: which tasks and methods each compares, what is measured, and the jobs of a cell."""

from __future__ import annotations

from collections.abc import Iterator

from kprl.benchmarks.ablation import DOMAINS
from kprl.experiments.ablation_job import VARIANTS, AblationJob
from kprl.experiments.experiment import CellJobs, Experiment, Metric, Setting
from kprl.experiments.jobs import DataJob, PolicyJob, RepresentationJob, World
from kprl.experiments.plan import Cell, Job
from kprl.experiments.real_job import RealJob

NUM_KEYPOINTS = 12  # best in Fig. 8
SCENES = {
    "grasp-env1": World("grasp", "env1"),
    "grasp-env2": World("grasp", "env2"),
    "push-env1": World("push", "env1"),
}
CUBE = SCENES["grasp-env1"]
TRANSFERS = {name: World("grasp", "env1", name) for name in ("rectangle", "mouse")}
SCENARIOS = {"GB": ("env1", "cube"), "GB-N": ("env2", "cube"), "GT": ("env1", "gear")}
COUNTS = {f"K={count}": count for count in (8, 10, 12, 14)}
SCRATCH, TRANSFER = "scratch", "transfer"  # TFS, TF
PAPER_TABLE1 = {"GB": "80 % (8/10)", "GB-N": "80 % (8/10)", "GT": "70 % (7/10)"}


def _representation(setting: Setting, data: DataJob, kind: str, count: int, seed: int) -> RepresentationJob:
    preset = setting.preset
    weights = setting.pretrained if kind == "ae-ft" else None
    return RepresentationJob(
        data, kind, count, seed, preset.keypoint_preset, preset.keypoint_steps, weights, setting.gpus
    )


def _policy(setting: Setting, label: str, world: World, seen: RepresentationJob, start_from: str = "") -> PolicyJob:
    preset = setting.preset
    return PolicyJob(label, world, seen, preset.policy, preset.final_episodes, seen.seed, start_from)


def _seeds(setting: Setting) -> Iterator[tuple[int, str, str]]:
    """Seed after seed, so that an experiment that is cut short has whole comparisons."""
    for seed in range(setting.preset.seeds):
        for task in setting.tasks:
            for method in setting.methods:
                yield seed, task, method


def _fig7(setting: Setting, data: dict[str, DataJob]) -> Iterator[CellJobs]:
    for seed, task, method in _seeds(setting):
        seen = _representation(setting, data[task], method, NUM_KEYPOINTS, seed)
        policy = _policy(setting, method, SCENES[task], seen)
        yield Cell(task, method, seed, policy.name), [seen, policy]


def _fig8(setting: Setting, data: dict[str, DataJob]) -> Iterator[CellJobs]:
    for seed, task, method in _seeds(setting):
        seen = _representation(setting, data[task], "keypoints", COUNTS[method], seed)
        policy = _policy(setting, f"keypoints-k{COUNTS[method]}", SCENES[task], seen)
        yield Cell(task, method, seed, policy.name), [seen, policy]


def _fig10(setting: Setting, data: dict[str, DataJob]) -> Iterator[CellJobs]:
    for seed, task, method in _seeds(setting):
        seen = _representation(setting, data["cube"], "keypoints", NUM_KEYPOINTS, seed)
        jobs: list[Job] = [seen]
        start_from = ""
        if method == TRANSFER:
            cube = _policy(setting, SCRATCH, CUBE, seen)
            start_from = cube.name
            jobs.append(cube)
        policy = _policy(setting, method, TRANSFERS[task], seen, start_from)
        yield Cell(task, method, seed, policy.name), [*jobs, policy]


def _table1(setting: Setting, data: dict[str, DataJob]) -> Iterator[CellJobs]:
    for seed, task, method in _seeds(setting):
        job = RealJob(task, *SCENARIOS[task], setting.preset.real_episodes, seed, setting.bundle)
        yield Cell(task, method, seed, job.name), [job]


def _ablation(setting: Setting, data: dict[str, DataJob]) -> Iterator[CellJobs]:
    preset = setting.preset
    for seed, task, method in _seeds(setting):
        job = AblationJob(
            data[task], method, seed, preset.ablation_preset, preset.ablation_steps, preset.test_images,
            preset.probe_images, setting.gpus,
        )  # fmt: skip
        yield Cell(task, method, seed, job.name), [job]


def _scenes(setting: Setting) -> dict[str, World]:
    return {task: SCENES[task] for task in setting.tasks}


POLICY_METRICS = (Metric("success_rate", "success", "%"), Metric("mean_return", "return"))
POLICY_COLUMNS = ("point", "step", "minutes", "success_rate", "mean_return", "episodes")
POLICY_NOTE = (
    "Curves are greedy evaluations on the way. The table is of the best of their policies, over fresh starts on which "
    "nothing was chosen. The paper counts epochs; here it is environment steps."
)
DATA_NOTE = "All seeds and methods learn their representation from the same images, and it is fixed afterwards (IV-B2)."
MEASURED = (
    ("on_target", "on gripper or object", "%"),
    ("objects_covered", "objects covered", "%"),
    ("equivariance_px", "equivariance [px]", ".2f"),
    ("wander_px", "wander [px]", ".2f"),
    ("position_error_mm", "position [mm]", ".1f"),
)
DOMAIN_TITLES = {"train": "held out", "shifted": "shifted"}

FIG7 = Experiment(
    "fig7", "Fig. 7: representations on three tasks", tuple(SCENES), ("keypoints", "vae", "ae", "ae-ft"),
    POLICY_METRICS, POLICY_COLUMNS, True,
    (POLICY_NOTE, DATA_NOTE, "AE, VAE and AE-FT reconstruct the image; the paper does not say what its own do."),
    _fig7, _scenes,
)  # fmt: skip
FIG8 = Experiment(
    "fig8", "Fig. 8: number of keypoints", ("grasp-env1",), tuple(COUNTS), POLICY_METRICS, POLICY_COLUMNS, True,
    (POLICY_NOTE, DATA_NOTE), _fig8, _scenes,
)  # fmt: skip
FIG10 = Experiment(
    "fig10", "Fig. 10: transfer from the cube to other objects", tuple(TRANSFERS), (TRANSFER, SCRATCH),
    POLICY_METRICS, POLICY_COLUMNS, True,
    (
        POLICY_NOTE,
        "`transfer` (TF) starts with the policy that was trained on the cube with the same seed, without random steps;"
        " `scratch` (TFS) with random weights. Both see the keypoints learnt on the cube: with other ones the policy's"
        " inputs would mean something else.",
    ),
    _fig10, lambda setting: {"cube": CUBE},
)  # fmt: skip
TABLE1 = Experiment(
    "table1", "Table I: zero-shot on the real stack, with fake hardware", tuple(SCENARIOS), ("keypoints",),
    (Metric("success_rate", "success", "%"),), ("point", "success_rate", "successes", "episodes", "outcomes"), False,
    (
        "The whole real stack runs on fake hardware, in a world that no training saw (`docs/real.md`); no real robot."
        " Seeds are other scenes for the same bundle.",
        "The paper, on a real robot: " + ", ".join(f"{name} {rate}" for name, rate in PAPER_TABLE1.items()) + ".",
        "GB: cube in env1; GB-N: cube in env2; GT: gear in env1; each with the bundle that ships for it.",
    ),
    _table1, lambda setting: {},
)  # fmt: skip
ABLATION = Experiment(
    "ablation", "Ablation: what each choice of the keypoint training buys", ("grasp-env1",), tuple(VARIANTS),
    tuple(Metric(f"{domain}/{key}", f"{title}, {DOMAIN_TITLES[domain]}", form)
          for key, title, form in MEASURED for domain in DOMAINS),
    ("point", "on_target", "objects_covered", "confident", "equivariance_px", "wander_px", "position_error_mm"), False,
    ("Cells and measures are those of `kprl keypoints ablation` (`docs/keypoints.md`).",),
    _ablation, _scenes,
)  # fmt: skip
EXPERIMENTS = {each.name: each for each in (FIG7, FIG8, FIG10, TABLE1, ABLATION)}

"""`kprl bench pipeline`: the time from nothing, no data and no weights, to 95 % success."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from kprl.data.config import GenerateConfig
from kprl.data.generate import generate
from kprl.errors import KprlError
from kprl.files import write_json
from kprl.keypoints.train import train_keypoints
from kprl.keypoints.train_config import TrainConfig
from kprl.policy_run import PolicyRun, train_and_deliver
from kprl.provenance import provenance
from kprl.rl.config import preset
from kprl.rl.loop import Progress

AIM = 0.95
GREEDY_EPISODES = 60  # of each evaluation on the way
IN_A_ROW = 3  # evaluations whose mean must reach the aim: one alone does so by luck (seen: 95 % of 60, 90.5 % of 200)
RESULT_FILE = "pipeline.json"


@dataclass(frozen=True)
class PipelineConfig:
    """The stages of `sim_train.launch.py` in one process; the policy's training ends once it reaches the aim."""

    out: Path
    task: str = "grasp"
    scene: str = "env1"
    object: str = "cube"
    seed: int = 0
    images: int = 12_000
    keypoint_preset: str = "quick"
    keypoint_minutes: float = 6.0
    steps: int = 200_000
    policy_minutes: float = 40.0
    final_episodes: int = 200
    data_workers: int = 2  # processes that render
    workers: int = 1  # worlds to act in at once
    batch_size: int = 256
    updates_per_step: float = 2.0
    evaluate_every: int = 5_000  # steps
    device: Literal["cpu", "cuda"] = "cpu"  # of both trainings
    compile: Literal["auto", "no"] = "auto"


MACHINES: dict[str, dict[str, Any]] = {
    "cpu": {},
    "gpu": {
        "images": 15_000, "keypoint_preset": "gpu", "keypoint_minutes": 0.9, "data_workers": 16, "workers": 14,
        "batch_size": 512, "updates_per_step": 1.0, "evaluate_every": 10_000, "device": "cuda",
        "compile": "no",
    },
}  # fmt: skip
"""What suits a machine: two cores, or a GPU with 16. With many worlds steps are cheap: each is learnt from as often in
half as many, larger batches, which cost a GPU no more; nor does it compile for a training that ends within minutes."""


def bench_pipeline(config: PipelineConfig) -> dict[str, Any]:
    """Run it; keys as in `kprl bench pipeline --json`. `minutes_to_95` is None where the aim was not reached.

    The minute counted is that of the end of the first evaluation, over GREEDY_EPISODES greedy episodes, at which the
    mean of the last IN_A_ROW reaches the aim; `success_rate` is that of the best policy over fresh starts, on which
    nothing was chosen.
    """
    if config.out.exists() and any(config.out.iterdir()):
        raise KprlError(f"{config.out} is not empty, and this starts from nothing: choose another folder")
    world = {"task": config.task, "scene": config.scene, "object": config.object}
    began = time.time()
    stages: dict[str, float] = {}

    def minutes() -> float:
        return (time.time() - began) / 60

    generate(
        GenerateConfig(**world, randomization="train", images=config.images, out=config.out / "data",
                       workers=config.data_workers, seed=config.seed)
    )  # fmt: skip
    stages["data"] = minutes()
    train_keypoints(
        TrainConfig(config.out / "data", config.out / "keypoints", config.keypoint_preset, seed=config.seed,
                    minutes=config.keypoint_minutes, device=config.device)
    )  # fmt: skip
    stages["keypoints"] = minutes() - stages["data"]

    curve: list[dict[str, float]] = []

    def watch(progress: Progress) -> bool:
        if progress.evaluated and progress.evaluation:
            rate = progress.evaluation.success_rate
            curve.append({"step": progress.row["step"], "minutes": minutes(), "success_rate": rate})
        return minutes_to_aim(curve) is not None

    changes = replace(
        preset("full"), steps=config.steps, minutes=config.policy_minutes, seed=config.seed,
        workers=config.workers, batch_size=config.batch_size, updates_per_step=config.updates_per_step,
        device=config.device, compile=config.compile,
        evaluate_every=config.evaluate_every, evaluation_episodes=GREEDY_EPISODES,
    )  # fmt: skip
    run = PolicyRun(config.out / "keypoints", config.out, **world, final_episodes=config.final_episodes, started=began)
    summary = train_and_deliver(run, changes, callback=watch)
    stages["policy"] = minutes() - stages["keypoints"] - stages["data"]
    result = {
        "minutes_to_95": minutes_to_aim(curve),
        "success_rate": summary["success_after"],
        "ci95": summary["ci95"],
        "episodes": summary["episodes"],
        "env_steps": summary["env_steps"],
        "minutes_by_stage": stages,
        "evaluations": curve,
        "settings": {name: value for name, value in asdict(config).items() if name != "out"},
        **provenance("torch"),
        "cores": len(os.sched_getaffinity(0)),
        "device": torch.cuda.get_device_name() if config.device == "cuda" else "cpu",
    }
    write_json(config.out / RESULT_FILE, result)
    return result


def minutes_to_aim(curve: Sequence[Mapping[str, float]]) -> float | None:
    """When the mean of the last IN_A_ROW evaluations first reached the aim; None where it never did."""
    for end in range(IN_A_ROW, len(curve) + 1):
        if sum(point["success_rate"] for point in curve[end - IN_A_ROW : end]) >= AIM * IN_A_ROW - 1e-9:
            return curve[end - 1]["minutes"]
    return None

"""What a cell is made of: images, a representation, a policy. Each goes on where it was interrupted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kprl.data.config import GenerateConfig
from kprl.data.generate import generate
from kprl.data.ray_engine import RayEngine
from kprl.keypoints.folder import read_description
from kprl.keypoints.train import train_keypoints
from kprl.keypoints.train_config import TrainConfig
from kprl.policy_run import PolicyRun, train_and_deliver
from kprl.representations.factory import make_objective
from kprl.rl.checkpoint import find_checkpoint
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.metrics_log import read_evaluations

IMAGES, MODEL = "images", "model"  # folders inside a job's own: nothing else may lie in those
THREADS = 1  # a cell has one core


@dataclass(frozen=True)
class World:
    """What is simulated."""

    task: str
    scene: str
    object: str = "cube"

    @property
    def name(self) -> str:
        """Part of a folder's name."""
        return f"{self.task}-{self.scene}-{self.object}"


@dataclass(frozen=True)
class DataJob:
    """Images of one world, for every representation and every seed: "the same simulation image data" (IV-B2)."""

    world: World
    images: int
    workers: int
    address: str = ""
    needs: tuple[str, ...] = ()
    gpus: float = 0.0

    @property
    def name(self) -> str:
        """See `kprl.experiments.plan.Job`."""
        return f"data/{self.world.name}"

    def run(self, root: Path) -> dict[str, Any]:
        """Generate by the workers of the Ray that is connected; without one, of a Ray of its own."""
        world = self.world
        config = GenerateConfig(
            world.task, world.scene, world.object, images=self.images, out=root / self.name / IMAGES,
            workers=self.workers,
        )  # fmt: skip
        generate(config, progress=False, engine=RayEngine(self.address))
        return {"images": self.images}


@dataclass(frozen=True)
class RepresentationJob:
    """Keypoints, or one of their rivals, of one seed."""

    data: DataJob
    representation: str
    num_keypoints: int
    seed: int
    preset: str
    steps: int | None
    pretrained: Path | None = None  # weights for ae-ft
    gpus: float = 0.0

    @property
    def name(self) -> str:
        """See `kprl.experiments.plan.Job`."""
        return f"representations/{self.data.world.name}/{self.representation}-k{self.num_keypoints}/seed{self.seed}"

    @property
    def needs(self) -> tuple[str, ...]:
        """The images."""
        return (self.data.name,)

    def run(self, root: Path) -> dict[str, Any]:
        """Train it; one that is finished is not trained again."""
        out, weights = root / self.name / MODEL, self.pretrained if self.representation == "ae-ft" else None
        config = TrainConfig(
            root / self.data.name / IMAGES, out, self.preset, self.num_keypoints, self.seed, steps=self.steps,
            threads=THREADS,
        )  # fmt: skip
        train_keypoints(config, False, lambda p, k: make_objective(self.representation, p, k, None, weights))
        description = read_description(out)
        return {"metrics": description["metrics"], "minutes": description["training"]["minutes"]}


@dataclass(frozen=True)
class PolicyJob:
    """A policy of one seed, on a representation of the same seed."""

    label: str  # tells it from others of the same world and seed
    world: World
    representation: RepresentationJob
    config: TrainPolicyConfig
    final_episodes: int
    seed: int
    start_from: str = ""  # name of the policy job whose networks it starts with (IV-B4)
    gpus: float = 0.0

    @property
    def name(self) -> str:
        """See `kprl.experiments.plan.Job`."""
        return f"policies/{self.world.name}/{self.label}/seed{self.seed}"

    @property
    def needs(self) -> tuple[str, ...]:
        """The representation, and the policy to start from."""
        return (self.representation.name, *([self.start_from] if self.start_from else []))

    def run(self, root: Path) -> dict[str, Any]:
        """Train and evaluate it; the folder is a run folder as that of `kprl policy train`."""
        config = replace(self.config, seed=self.seed)
        if self.start_from:
            # As `kprl policy train --start-from`: what has learnt already need not begin with random steps.
            checkpoint = str(find_checkpoint(root / self.start_from).absolute())
            config = replace(config, start_from=checkpoint, random_steps=0)
        run = PolicyRun(
            root / self.representation.name / MODEL, root / self.name, self.world.task, self.world.scene,
            self.world.object, self.final_episodes,
        )  # fmt: skip
        summary = train_and_deliver(run, config, progress=False, resume=True)
        names = {"success_rate": "success_after", "mean_return": "mean_return_after", "episodes": "episodes"}
        final = {name: summary[key] for name, key in names.items()}
        last = {"point": "final", "step": summary["env_steps"], "minutes": summary["minutes"], **final}
        evaluations = _evaluations(root / self.name / "policy" / "metrics.csv", config.evaluation_episodes)
        return {"points": [*evaluations, last], "final": final, "minutes": summary["minutes"]}


def _evaluations(metrics: Path, episodes: int) -> list[dict[str, Any]]:
    """The greedy evaluations on the way."""
    return [
        {
            "point": "on the way",
            "step": int(row["step"]),
            "minutes": row["minutes"],
            "success_rate": row["eval_success"],
            "mean_return": row["eval_return"],
            "episodes": episodes,
        }
        for row in read_evaluations(metrics)
    ]

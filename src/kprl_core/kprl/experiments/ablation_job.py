"""A cell of the ablation, measured by what `kprl keypoints ablation` calls."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kprl.benchmarks.ablation import CELLS, DOMAINS, FIGURES, AblationConfig, run_ablation
from kprl.experiments.jobs import IMAGES, THREADS, DataJob
from kprl.files import read_json

VARIANTS = {cell.name: cell for cell in CELLS}


@dataclass(frozen=True)
class AblationJob:
    """One change to the preset with one seed."""

    data: DataJob
    variant: str  # name of a cell of kprl.benchmarks.ablation
    seed: int
    preset: str
    steps: int
    images: int
    probe_images: int
    gpus: float = 0.0

    @property
    def name(self) -> str:
        """See `kprl.experiments.plan.Job`."""
        return self._of_seed(self.seed)

    @property
    def needs(self) -> tuple[str, ...]:
        """The images and the seed before: `run_ablation` measures seeds from 0 on."""
        return (self.data.name, *([self._of_seed(self.seed - 1)] if self.seed else []))

    def run(self, root: Path) -> dict[str, Any]:
        """Train and measure it in the folder that all seeds of the variant share."""
        cell, folder = VARIANTS[self.variant], root / "ablation" / self.variant / "runs"
        config = AblationConfig(
            root / self.data.name / IMAGES, folder, self.preset, self.steps, self.seed + 1, self.images,
            self.probe_images, THREADS,
        )  # fmt: skip
        run_ablation(config, [cell])
        measured = read_json(folder / f"{cell.name}-{self.seed}.json")
        points = [{"point": domain, **{figure: measured[domain][figure] for figure in FIGURES}} for domain in DOMAINS]
        final = {f"{domain}/{figure}": measured[domain][figure] for domain in DOMAINS for figure in FIGURES}
        return {"points": points, "final": final}

    def _of_seed(self, seed: int) -> str:
        return f"ablation/{self.variant}/seed{seed}"

"""How large an experiment is: one frozen table a preset."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kprl.errors import KprlError, require_choice
from kprl.rl.config import PRESETS as POLICY_PRESETS
from kprl.rl.config import TrainPolicyConfig


@dataclass(frozen=True)
class ExperimentPreset:
    """Sizes of everything that an experiment trains and measures."""

    seeds: int
    """Repetitions of each cell, with the seeds 0 to `seeds` - 1."""
    images: int
    """Images of each data set."""
    keypoint_preset: str
    """Of the representation's training, see kprl.keypoints.presets."""
    keypoint_steps: int | None
    """Its updates; None: the preset's own length."""
    policy: TrainPolicyConfig
    """Of the policy's training; the cell's seed takes the place of its own."""
    final_episodes: int
    """Episodes of each policy's final evaluation, from starts on which nothing was chosen."""
    real_episodes: int
    """table1: episodes of each cell."""
    ablation_preset: str
    """ablation: what its cells start from."""
    ablation_steps: int
    """ablation: updates of each cell."""
    test_images: int
    """ablation: test images of each domain."""
    probe_images: int
    """ablation: images from which a probe learns to tell where the object is."""
    cell_timeout: float
    """[s] One attempt at a training may take this long."""
    retries: int
    """Further attempts at a cell that failed."""
    first_tasks: int | None = None
    """How many of a figure's tasks are run where none are named; None: all."""
    first_methods: int | None = None
    """How many of a figure's methods are run where none are named; None: all."""

    def __post_init__(self) -> None:
        for name, least in (("seeds", 1), ("images", 40), ("final_episodes", 1), ("real_episodes", 1), ("retries", 0)):
            if getattr(self, name) < least:
                raise KprlError(f"{name} is {getattr(self, name)}: expected at least {least}")
        if not self.cell_timeout > 0:
            raise KprlError(f"cell_timeout is {self.cell_timeout}: expected more than 0 seconds")


def _one_core(policy: TrainPolicyConfig, **changes: object) -> TrainPolicyConfig:
    """A cell has one core, so it acts and learns by turns: then its seed decides all of it, bit for bit.

    Not on a GPU: several trainings on one take longer than each on a core of its own (docs/policies.md, Speed).
    """
    return replace(policy, learner="inline", device="cpu", **changes)  # type: ignore[arg-type]


HOUR = 3600.0
PRESETS: dict[str, ExperimentPreset] = {
    "smoke": ExperimentPreset(
        seeds=1,
        images=60,
        keypoint_preset="quick",
        keypoint_steps=4,
        policy=_one_core(
            POLICY_PRESETS["quick"], steps=200, random_steps=50, evaluate_every=100, evaluation_episodes=2, log_every=50
        ),
        final_episodes=2,
        real_episodes=1,
        ablation_preset="quick",
        ablation_steps=4,
        test_images=20,
        probe_images=60,
        cell_timeout=0.25 * HOUR,
        retries=1,
        first_tasks=1,
        first_methods=2,
    ),
    "cpu": ExperimentPreset(
        seeds=3,
        images=12_000,
        keypoint_preset="quick",
        keypoint_steps=4_400,  # what the preset's 4 minutes are on two free cores; by steps, whatever else runs
        policy=_one_core(POLICY_PRESETS["quick"]),
        final_episodes=100,
        real_episodes=10,
        ablation_preset="quick",
        ablation_steps=800,
        test_images=1000,
        probe_images=6000,
        cell_timeout=8 * HOUR,
        retries=2,
    ),
    "paper": ExperimentPreset(
        seeds=10,
        images=50_000,
        keypoint_preset="paper",
        keypoint_steps=None,
        policy=_one_core(POLICY_PRESETS["paper"]),
        final_episodes=100,
        real_episodes=10,
        ablation_preset="cpu",
        ablation_steps=12_000,
        test_images=2000,
        probe_images=6000,
        cell_timeout=96 * HOUR,
        retries=2,
    ),
}
"""`smoke`: every stage for a moment, learns nothing. `cpu`: hours on two cores. `paper`: sections III and IV as
written, 10 seeds; only the ablation starts from `cpu`, whose departures from the paper are what it measures."""


def experiment_preset(name: str) -> ExperimentPreset:
    """The preset of a name; an unknown one is a `KprlError` that lists them."""
    return PRESETS[require_choice("experiment preset", name, tuple(PRESETS))]

"""Every hyperparameter of policy training, and the presets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from kprl.device import DEVICES
from kprl.errors import KprlError, require_choice
from kprl.rl.agent import CriticInput

ABOVE_ZERO = (
    "steps",
    "workers",
    "batch_size",
    "learning_rate",
    "initial_temperature",
    "exploration_noise",
    "buffer_size",
    "actor_delay",
    "updates_per_step",
    "max_lag",
    "evaluate_every",
    "evaluation_episodes",
    "log_every",
)


@dataclass(frozen=True)
class TrainPolicyConfig:
    """Hyperparameters of one training run; the defaults are the preset `quick`.

    Where a setting comes from section III-C2 of the paper, its paper value is named; what the paper leaves
    open takes stable-baselines' default in the preset `paper`.
    """

    algo: Literal["sac", "ddpg"] = "sac"
    """What learns: SAC (eq. 7 to 9) or DDPG (eq. 4 to 6)."""
    start_from: str | None = None
    """Folder of another training, or its bundle, whose networks, optimisers and temperature this one starts with."""
    steps: int = 60_000
    """Environment steps of the whole run, warm-up included."""
    minutes: float | None = None
    """Stop after this much wall-clock time if `steps` are not done by then. None: no limit."""
    seed: int = 0
    """Seed of every random draw: networks, exploration, replay, resets."""
    learner: Literal["inline", "process"] = "process"
    """`process`: act and learn at the same time on two cores. `inline`: one process, bit-exact for a seed."""
    workers: int = 1
    """Worlds to act in at once, a process each, and as many to evaluate in, which wait in between. 1: one world, in the
    acting process itself."""

    batch_size: int = 256
    """Transitions an update (paper: 512)."""
    learning_rate: float = 1e-3
    """Adam's step size for actor, critics and temperature (paper: 3e-4)."""
    actor_hidden: tuple[int, ...] = (64, 64)
    """Widths of the policy's hidden layers (paper: 64, 64)."""
    critic_hidden: tuple[int, ...] = (64, 64)
    """Widths of each critic's hidden layers (paper: 64, 64)."""
    gamma: float = 0.96
    """Discount factor of eq. 7 and 8, below 1."""
    polyak: float = 0.005
    """Share of the critics that flows into the target critics at each update."""
    initial_temperature: float = 1.0
    """Starting value of the entropy weight alpha of eq. 7."""
    min_temperature: float = 0.01
    """Floor of the automatic temperature: above 0 the policy never stops exploring. 0: no floor (paper)."""
    target_entropy: float | None = None
    """Entropy the temperature steers to [nats]. None: minus the number of action dimensions."""
    estimation: float = 0.0
    """With `sac`: weight of a loss that teaches the actor's last hidden layer to tell the privileged truth, which needs
    a critic that sees it. It shapes the layers; nothing of it is in the policy. 0: none (paper)."""
    exploration_noise: float = 0.2
    """With `ddpg`: standard deviation of the noise on a training action, before tanh."""
    critic: CriticInput = "goal_relative"
    """What the critics see: the simulator's truth (training only) with the goal, or with the goal and the way there, or
    what the actor sees (paper)."""
    normalise: bool = True
    """Scale observations by their running mean and deviation, clipped to 5 (paper: no)."""

    buffer_size: int = 50_000
    """Transitions kept for replay (paper: 50,000)."""
    relabels: int = 4
    """Relabelled transitions for each real one, HER strategy `future` (paper: 4)."""
    random_exploration: float = 0.2
    """Probability that a training action is uniform random (paper: 0.2)."""
    curriculum: float = 0.6
    """Probability that a training episode begins at a curriculum start (paper: 0). Never in evaluation."""
    random_steps: int = 1_000
    """Steps of uniform random actions before learning begins."""
    updates_per_step: float = 2.0
    """Gradient updates for each environment step after `random_steps` (paper: 1)."""
    actor_delay: int = 1
    """Critic updates for each update of actor and temperature. 1: both each time (paper)."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where updates are computed; `auto`: on a GPU if there is one."""
    compile: Literal["auto", "yes", "no"] = "auto"
    """Turn an update into machine code: about three times faster on a CPU after a minute of compiling, 1.6 times on a
    GPU. `auto`: where the run is long enough to gain by it and there is a C++ compiler."""
    max_lag: int = 400
    """With learner `process`: how many updates learning may be behind or ahead of `updates_per_step`."""

    evaluate_every: int = 5_000
    """Environment steps between evaluations."""
    evaluation_episodes: int = 20
    """Greedy episodes from ordinary starts in each evaluation."""
    log_every: int = 500
    """Environment steps between rows of metrics.csv."""

    def __post_init__(self) -> None:
        for name in ABOVE_ZERO:
            if getattr(self, name) <= 0:
                raise KprlError(f"{name} is {getattr(self, name)}: it must be above 0")
        for name in ("random_exploration", "curriculum"):
            if not 0 <= getattr(self, name) <= 1:
                raise KprlError(f"{name} is {getattr(self, name)}: it is a probability, from 0 to 1")
        for name in ("relabels", "random_steps", "min_temperature", "estimation", "seed"):
            if getattr(self, name) < 0:
                raise KprlError(f"{name} is {getattr(self, name)}: it cannot be negative")
        if not 0 <= self.gamma < 1:
            raise KprlError(f"gamma is {self.gamma}: it must be at least 0 and below 1")
        if not 0 < self.polyak <= 1:
            raise KprlError(f"polyak is {self.polyak}: it must be above 0 and at most 1")
        if self.minutes is not None and self.minutes <= 0:
            raise KprlError(f"minutes is {self.minutes}: it must be above 0 (leave it out for no limit)")
        if not self.actor_hidden or not self.critic_hidden or min(self.actor_hidden + self.critic_hidden) < 1:
            raise KprlError("actor_hidden and critic_hidden need at least one layer of at least one unit")
        require_choice("algo", self.algo, ("sac", "ddpg"))
        require_choice("learner", self.learner, ("inline", "process"))
        require_choice("device", self.device, DEVICES)
        require_choice("compile", self.compile, ("auto", "yes", "no"))
        require_choice("critic", self.critic, ("goal_relative", "privileged", "observation"))


FOREIGN = TrainPolicyConfig(
    steps=20_000,
    actor_hidden=(256, 256),
    critic_hidden=(256, 256),
    gamma=0.95,
    polyak=0.05,
    min_temperature=0.0,
    critic="observation",
    buffer_size=1_000_000,
    random_exploration=0.0,
    curriculum=0.0,
    updates_per_step=1.0,
    evaluate_every=2_000,
)
FULL = TrainPolicyConfig(
    steps=150_000,
    actor_hidden=(128, 128),
    critic_hidden=(128, 128),
    buffer_size=200_000,
    evaluate_every=10_000,
    evaluation_episodes=50,
)
PRESETS: dict[str, TrainPolicyConfig] = {
    "quick": TrainPolicyConfig(),
    "full": FULL,
    "gpu": replace(FULL, batch_size=512, updates_per_step=1.0, evaluation_episodes=100),
    "paper": TrainPolicyConfig(
        steps=200_000,
        batch_size=512,
        learning_rate=3e-4,
        gamma=0.99,
        min_temperature=0.0,
        updates_per_step=1.0,
        critic="observation",
        normalise=False,
        curriculum=0.0,
        random_steps=100,
    ),
    "goal": FOREIGN,
    "plain": replace(FOREIGN, relabels=0, gamma=0.99, polyak=0.005, learning_rate=3e-4, normalise=False),
}
"""`paper`: section III-C2 as written. `quick`: what learns in minutes on two cores. `full`: the same with wider
networks at half the batch, all experience kept and the best of larger evaluations, for bundles to keep; `gpu`: its like
where `workers` make steps cheap, each learnt from as often in half as many, larger batches. For other
people's environments: `goal`, where there are goals to relabel; `plain`, where there are none."""


def preset(name: str) -> TrainPolicyConfig:
    """The preset called `name`; an unknown name is a `KprlError` that lists them."""
    return PRESETS[require_choice("training preset", name, tuple(PRESETS))]

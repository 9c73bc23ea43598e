"""What learns: replay memory and agent behind one interface, in this process or in one of their own."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np
import torch

from kprl.errors import KprlError
from kprl.rl.agent import Sizes
from kprl.rl.agents import AgentFactory, make_agent
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.episode import Episode
from kprl.rl.her import Reward, hindsight_batch
from kprl.rl.replay import Replay

ReplayFactory = Callable[[int, Sizes], Replay]
"""Capacity, sizes -> an empty memory; for a learner process a module-level function."""
METRICS = ("critic_loss", "q", "actor_loss", "entropy", "temperature")
"""What `Learner.metrics` reports: means over the latest updates; NaN for what the agent does not have."""
METRICS_WINDOW = 200
"""Updates that a reported metric is averaged over, at most."""
DIVERGENCE_FACTOR = 10.0
"""A mean Q this many times beyond what rewards and entropy can add up to is a divergence."""


class Learner(ABC):
    """Learns from episodes; the side that acts asks it for weights.

    Any method raises a `KprlError` when learning has failed.
    """

    @abstractmethod
    def add(self, episode: Episode) -> None:
        """Give an episode to learn from."""

    @abstractmethod
    def update(self, updates: int) -> None:
        """Allow `updates` more gradient updates; at least one episode must have been added."""

    @abstractmethod
    def weights(self) -> np.ndarray | None:
        """The actor's weights for `Policy.load_weights`; None where nothing is new since the last call."""

    @abstractmethod
    def metrics(self) -> dict[str, float]:
        """METRICS over the latest updates, NaN before the first; raises if they show a divergence."""

    @property
    @abstractmethod
    def updates(self) -> int:
        """Gradient updates done so far."""

    @abstractmethod
    def state_dict(self, replay: bool) -> dict[str, torch.Tensor]:
        """Everything learning goes on from, as plain tensors; the replay memory only if asked."""

    @abstractmethod
    def load_state_dict(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take over a `state_dict`."""

    @abstractmethod
    def close(self) -> None:
        """Free what the learner holds; calling it again does nothing."""


class InlineLearner(Learner):
    """Learns in the calling process, in `update` itself; bit-exact for a seed on one thread."""

    def __init__(
        self,
        config: TrainPolicyConfig,
        sizes: Sizes,
        compute_reward: Reward,
        make_agent: AgentFactory = make_agent,
        make_replay: ReplayFactory = Replay,
    ) -> None:
        self.config, self.compute_reward = config, compute_reward
        self.replay = make_replay(config.buffer_size, sizes)
        self.rng = np.random.default_rng((config.seed, 1))  # for batches; acting has its own
        self.agent = make_agent(config, sizes)
        self._recent: dict[str, deque[torch.Tensor]] = {name: deque(maxlen=METRICS_WINDOW) for name in METRICS}
        self._largest_reward = 0.0
        self._handed_out = -1

    def add(self, episode: Episode) -> None:
        """Store the episode and let the normalisation see it."""
        self.replay.add(episode)
        self.agent.observe(
            episode.observation[1:], episode.privileged[1:], episode.desired_goal, episode.achieved_goal[1:]
        )
        self._handed_out = -1  # the actor holds the normalisation

    def update(self, updates: int) -> None:
        """Do `updates` gradient updates now."""
        for _ in range(updates):
            batch = hindsight_batch(
                self.replay, self.config.batch_size, self.config.relabels, self.compute_reward, self.rng
            )
            self._largest_reward = max(self._largest_reward, float(np.abs(batch.reward).max()))
            for name, value in self.agent.update(batch).items():
                self._recent[name].append(value)

    def weights(self) -> np.ndarray | None:
        """See `Learner.weights`."""
        if self._handed_out == self.agent.updates:
            return None
        self._handed_out = self.agent.updates
        return self.agent.actor.weights().numpy()

    def metrics(self) -> dict[str, float]:
        """See `Learner.metrics`."""
        found = {name: float(torch.stack([*values]).mean()) for name, values in self._recent.items() if values}
        if found:
            self._check(found)
        return dict.fromkeys(METRICS, math.nan) | found

    def _check(self, metrics: Mapping[str, float]) -> None:
        """Raise a `KprlError` if the losses are not finite or Q has left all possible values."""
        start = f"training diverged after {self.updates} updates"
        advice = "lower learning_rate, or check the environment's rewards; the last checkpoint is kept"
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise KprlError(f"{start}: {name} is {value}: {advice}")
        # Each step adds at most the largest reward and the temperature times the entropy to a value.
        bonus = metrics.get("temperature", 0.0) * (abs(metrics.get("entropy", 0.0)) + self.agent.sizes.action)
        bound = DIVERGENCE_FACTOR * (1 + self._largest_reward + bonus) / (1 - self.config.gamma)
        if abs(metrics["q"]) > bound:
            raise KprlError(
                f"{start}: the mean Q is {metrics['q']:.3g}, beyond any return these rewards can give"
                f" ({bound:.3g} allowed): {advice}"
            )

    @property
    def updates(self) -> int:
        """Gradient updates done so far."""
        return self.agent.updates

    def state_dict(self, replay: bool) -> dict[str, torch.Tensor]:
        """See `Learner.state_dict`."""
        tensors = {f"agent.{name}": tensor for name, tensor in self.agent.state_dict().items()}
        tensors["rng"] = _pack_rng(self.rng)
        tensors["largest_reward"] = torch.tensor(self._largest_reward, dtype=torch.float64)
        tensors |= {f"recent.{name}": torch.stack([*values]).cpu() for name, values in self._recent.items() if values}
        if replay:
            tensors |= {f"replay.{name}": torch.from_numpy(a) for name, a in self.replay.state_dict().items()}
        return tensors

    def load_state_dict(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """See `Learner.load_state_dict`; without a replay in it, the memory is left as it is."""
        agent = {n.removeprefix("agent."): t for n, t in tensors.items() if n.startswith("agent.")}
        self.agent.load_state_dict(agent)
        _unpack_rng(self.rng, tensors["rng"])
        self._largest_reward = float(tensors["largest_reward"])
        for name, recent in self._recent.items():
            recent.clear()
            recent.extend(tensors.get(f"recent.{name}", torch.empty(0)).to(self.agent.device))
        memory = {n.removeprefix("replay."): t.numpy() for n, t in tensors.items() if n.startswith("replay.")}
        if memory:
            self.replay.load_state_dict(memory)
        self._handed_out = -1

    def close(self) -> None:
        """Nothing to free."""


RNG_BYTES = 16
"""A PCG64 generator is two 128-bit integers, and perhaps half of a 64-bit draw that is not used up."""


def _pack_rng(rng: np.random.Generator) -> torch.Tensor:
    """State of a PCG64 generator as (37,) uint8: state, increment, half a draw or none."""
    state = rng.bit_generator.state
    data = (
        state["state"]["state"].to_bytes(RNG_BYTES, "little")
        + state["state"]["inc"].to_bytes(RNG_BYTES, "little")
        + bytes([state["has_uint32"]])
        + int(state["uinteger"]).to_bytes(4, "little")
    )
    return torch.tensor(list(data), dtype=torch.uint8)


def _unpack_rng(rng: np.random.Generator, packed: torch.Tensor) -> None:
    """Set a PCG64 generator to a packed state."""
    data = packed.numpy().tobytes()
    rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {
            "state": int.from_bytes(data[:RNG_BYTES], "little"),
            "inc": int.from_bytes(data[RNG_BYTES : 2 * RNG_BYTES], "little"),
        },
        "has_uint32": data[2 * RNG_BYTES],
        "uinteger": int.from_bytes(data[2 * RNG_BYTES + 1 :], "little"),
    }

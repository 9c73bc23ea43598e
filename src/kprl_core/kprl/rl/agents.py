"""Agents by name, made from the one configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kprl.errors import require_choice
from kprl.rl.agent import Agent, Sizes
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.ddpg import Ddpg
from kprl.rl.sac import Sac

AgentFactory = Callable[[TrainPolicyConfig, Sizes], Agent]
"""For a learner process of its own it must be picklable: a module-level function."""


def make_agent(config: TrainPolicyConfig, sizes: Sizes) -> Agent:
    """The agent that `config.algo` names."""
    return AGENTS[require_choice("algo", config.algo, tuple(AGENTS))](config, sizes)


def _sac(config: TrainPolicyConfig, sizes: Sizes) -> Agent:
    return Sac(
        sizes,
        initial_temperature=config.initial_temperature,
        min_temperature=config.min_temperature,
        target_entropy=config.target_entropy,
        **_common(config),
    )


def _ddpg(config: TrainPolicyConfig, sizes: Sizes) -> Agent:
    return Ddpg(sizes, exploration_noise=config.exploration_noise, **_common(config))


def _common(config: TrainPolicyConfig) -> dict[str, Any]:
    networks = ("actor_hidden", "critic_hidden", "critic", "normalise")
    learning = ("learning_rate", "gamma", "polyak", "actor_delay", "seed")
    return {name: getattr(config, name) for name in networks + learning}


AGENTS: dict[str, AgentFactory] = {"sac": _sac, "ddpg": _ddpg}

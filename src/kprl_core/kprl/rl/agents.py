"""Agents by name, made from the one configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kprl.device import choose_device
from kprl.errors import KprlError, require_choice
from kprl.rl.agent import Agent, Sizes
from kprl.rl.compilation import COMPILERS, WORTH_COMPILING, compiler
from kprl.rl.config import TrainPolicyConfig
from kprl.rl.ddpg import Ddpg
from kprl.rl.networks import Actor
from kprl.rl.sac import Sac

NO_COMPILER = f"there is no C++ compiler (looked for $CXX, {', '.join(COMPILERS)})"
AgentFactory = Callable[[TrainPolicyConfig, Sizes], Agent]
"""For a learner process of its own it must be picklable: a module-level function."""


def make_agent(config: TrainPolicyConfig, sizes: Sizes) -> Agent:
    """The agent that `config.algo` names."""
    return AGENTS[require_choice("algo", config.algo, tuple(AGENTS))](config, sizes)


def make_actor(factory: AgentFactory, config: TrainPolicyConfig, sizes: Sizes) -> Actor:
    """An actor to act with, untrained and on the CPU, of the agent that `factory` makes."""
    return factory(replace(config, device="cpu", compile="no"), sizes).actor


def _sac(config: TrainPolicyConfig, sizes: Sizes) -> Agent:
    return Sac(
        sizes,
        initial_temperature=config.initial_temperature,
        min_temperature=config.min_temperature,
        target_entropy=config.target_entropy,
        estimation=config.estimation,
        **_common(config),
    )


def _ddpg(config: TrainPolicyConfig, sizes: Sizes) -> Agent:
    return Ddpg(sizes, exploration_noise=config.exploration_noise, **_common(config))


def _common(config: TrainPolicyConfig) -> dict[str, Any]:
    networks = ("actor_hidden", "critic_hidden", "critic", "normalise")
    learning = ("learning_rate", "gamma", "polyak", "actor_delay", "seed")
    where = {"compile": to_be_compiled(config), "device": choose_device(config.device)}
    return {name: getattr(config, name) for name in networks + learning} | where


def to_be_compiled(config: TrainPolicyConfig) -> bool:
    """Whether updates are compiled; `KprlError` where they should be and there is no C++ compiler."""
    if config.compile == "yes" and compiler() is None:
        raise KprlError(f"compile is 'yes', but {NO_COMPILER}: install one, or choose 'no'")
    return config.compile == "yes" or (_worth_compiling(config) and compiler() is not None)


def compile_note(config: TrainPolicyConfig) -> str:
    """What a user should know before the first update; empty where there is nothing to say."""
    if to_be_compiled(config):
        return "policy: the first update is compiled, which takes a minute or so; the next run finds it ready"
    if _worth_compiling(config):
        return f"policy: {NO_COMPILER}: updates are not compiled and take longer"
    return ""


def _worth_compiling(config: TrainPolicyConfig) -> bool:
    worth = WORTH_COMPILING[choose_device(config.device).type]
    return config.compile == "auto" and config.steps * config.updates_per_step >= worth


AGENTS: dict[str, AgentFactory] = {"sac": _sac, "ddpg": _ddpg}

"""Acting with an actor, and its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from kprl.errors import KprlError
from kprl.files import atomic_file
from kprl.rl.networks import Actor

FORMAT = "kprl-policy-1"


class Policy:
    """Maps an environment's observation to an action in [-1, 1]; never learns and never changes by itself."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor

    def act(
        self,
        observation: Mapping[str, np.ndarray],
        deterministic: bool = True,
        rng: np.random.Generator | None = None,
    ) -> np.ndarray:
        """The greedy action tanh(mean), or a sample drawn with `rng`: (A,) float32.

        Only `observation` (n,) and `desired_goal` (g,) are read.
        """
        x = np.concatenate([observation["observation"], observation["desired_goal"]]).astype(np.float32)
        with torch.inference_mode():
            mean, log_std = self.actor(torch.from_numpy(x)[None])
        action = mean[0].numpy()
        if not deterministic:
            if rng is None:
                raise ValueError("sampling an action needs a numpy Generator")
            action = action + np.exp(log_std[0].numpy()) * rng.standard_normal(len(action), dtype=np.float32)
        return np.tanh(action)

    def load_weights(self, vector: np.ndarray) -> None:
        """Take over `Actor.weights()` of an actor of the same shape."""
        self.actor.load_weights(torch.from_numpy(vector))


def save_policy(policy: Policy, path: Path) -> None:
    """Write a policy as safetensors; its shape is in the header."""
    actor = policy.actor
    layout = {
        "format": FORMAT,
        "input_size": actor.input_size,
        "action_size": actor.action_size,
        "hidden": list(actor.hidden),
        "normalise": actor.normaliser.enabled,
        "deviation": actor.deviation,
    }
    tensors = {name: tensor.detach().clone() for name, tensor in actor.state_dict().items()}
    with atomic_file(path) as beside:
        save_file(tensors, beside, metadata={"kprl": json.dumps(layout)})


def load_policy(path: Path) -> Policy:
    """Read a policy; a missing, damaged or foreign file is a `KprlError`."""
    if not path.is_file():
        raise KprlError(f"{path} does not exist: expected a policy file (policy.safetensors) there")
    try:
        with safe_open(path, framework="pt") as file:
            layout = json.loads((file.metadata() or {}).get("kprl", "{}"))
            tensors = {name: file.get_tensor(name) for name in list(file.keys())}
    except (SafetensorError, json.JSONDecodeError, OSError) as error:
        raise KprlError(f"{path} is damaged ({error}): restore it or train the policy anew") from None
    if layout.get("format") != FORMAT:
        raise KprlError(f"{path} has the format {layout.get('format')}: expected {FORMAT}; train the policy anew")
    try:
        actor = Actor(
            layout["input_size"], layout["action_size"], layout["hidden"], layout["normalise"], layout.get("deviation")
        )
        actor.load_state_dict(tensors)
    except (KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise KprlError(f"{path} is damaged ({reason}): restore it or train the policy anew") from None
    return Policy(actor)

"""The greedy policy as ONNX, checked against torch before it is let out."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from kprl.errors import KprlError
from kprl.files import atomic_file
from kprl.rl.networks import Actor
from kprl.rl.policy import Policy

INPUT, OUTPUT = "observation_and_goal", "action"
OPSET = 17
CHECKED_INPUTS = 256
TOLERANCE = 1e-4
"""Largest difference in any action between ONNX Runtime and torch."""


class GreedyActor(nn.Module):
    """[observation, desired_goal] (B, n + g) -> tanh(mean) (B, A), the normalisation included."""

    def __init__(self, actor: Actor) -> None:
        super().__init__()
        self.actor = actor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (B, n + g) float32 -> action (B, A) in [-1, 1]."""
        return self.actor.greedy(x)


def export_onnx(policy: Policy, path: Path) -> float:
    """Write `policy` as ONNX to `path` and return the largest difference to torch.

    Input `observation_and_goal` (batch, n + g) float32; output `action` (batch, A) float32 in [-1, 1].
    The file appears only if ONNX Runtime agrees with torch on it.
    """
    greedy = GreedyActor(policy.actor).eval()
    size = policy.actor.input_size
    with atomic_file(path) as beside:
        with warnings.catch_warnings():
            # The newer exporter needs a package of its own for the same file.
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.onnx.export(
                greedy,
                (torch.zeros(1, size),),
                str(beside),
                dynamo=False,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_axes={INPUT: {0: "batch"}, OUTPUT: {0: "batch"}},
            )
        difference = _difference(greedy, beside, size)
        if not difference <= TOLERANCE:
            raise KprlError(
                f"the ONNX export of the policy differs from torch by {difference:.2g} in an action (at most"
                f" {TOLERANCE:.0e} was expected): check that the policy's weights are finite, or report this"
            )
    return difference


def _difference(greedy: GreedyActor, path: Path, size: int) -> float:
    rng = np.random.default_rng(0)
    # Inputs around what was normalised, and far outside so that the clipping is compared too.
    normaliser = greedy.actor.normaliser
    mean, deviation = (-normaliser.shift / normaliser.scale).numpy(), (1 / normaliser.scale).numpy()
    spread = rng.choice([1.0, 10.0], size=(CHECKED_INPUTS, 1))
    x = (mean + spread * deviation * rng.standard_normal((CHECKED_INPUTS, size))).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (ours,) = session.run([OUTPUT], {INPUT: x})
    with torch.inference_mode():
        theirs = greedy(torch.from_numpy(x)).numpy()
    return float(np.abs(ours - theirs).max())

"""What a small probe recovers of the object's position from what a policy sees.

The position counts relative to the tool: the camera's pose is drawn anew for every image and told to nobody, so a
picture says where things are among themselves. Along the camera's axis one picture tells little; for an object on
the table its known height makes up for that, for one in the air it does not.

The probe has the shape and the inputs of a policy: features of the image and state of the end effector. It learns in
the domain of training and is tested in any.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from kprl.keypoints.evaluate import VISIBLE_PIXELS
from kprl.keypoints.scenes import Scenes
from kprl.observation import end_effector_observation
from kprl.sim.camera import TARGET

PROBE_SEED_DISTANCE = 500_000_000  # from the seed of the test images to that of the images the probe learns from
HIDDEN = (128, 128)
STEPS, BATCH, LEARNING_RATE = 3000, 256, 3e-3  # twice or half the steps change nothing
LEAST_DEVIATION = 1e-6  # of an input that never changes
MILLIMETRES = 1000.0

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PositionError:
    """Distances between true and recovered position; None without images."""

    images: int
    median_mm: float | None
    p90_mm: float | None  # nine of ten are smaller
    median_without_picture_mm: float | None  # of a probe that gets the end effector's state only


@dataclass(frozen=True)
class PositionErrors:
    """What the probe recovers, and what to compare it with: each the median over visible objects on the table."""

    position_error_mm: float | None
    position_error_of_mean_mm: float | None  # of a constant, the mean over the probe's images: knows nothing
    position_error_of_tool_mm: float | None  # of a probe that gets the end effector's state only: sees nothing
    # Of a probe that gets the true projections of object and tool: what remains is the camera's unknown pose.
    position_error_of_projections_mm: float | None
    position_error: dict[str, PositionError]  # by the object's state: `lying` on the table, `held`, `hidden`


class Probe:
    """A perceptron with layer normalisation from inputs (N, D) to positions (N, 3); both are standardised inside."""

    def __init__(self, inputs: np.ndarray, positions: np.ndarray, seed: int) -> None:
        """Learn from inputs (N, D) with positions (N, 3) [m]; the same `seed` learns the same."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # at this size a second thread costs more than it gives, and changes the result
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                self._learn(torch.from_numpy(inputs).float(), torch.from_numpy(positions).float())
        finally:
            torch.set_num_threads(threads)

    def _learn(self, inputs: torch.Tensor, positions: torch.Tensor) -> None:
        self._inputs, self._positions = _Standard(inputs), _Standard(positions)
        x, y = self._inputs.standardise(inputs), self._positions.standardise(positions)
        layers: list[nn.Module] = []
        size = x.shape[1]
        for width in HIDDEN:
            layers += [nn.Linear(size, width), nn.LayerNorm(width), nn.ReLU()]
            size = width
        self._network = nn.Sequential(*layers, nn.Linear(size, y.shape[1]))
        optimiser = torch.optim.Adam(self._network.parameters(), lr=LEARNING_RATE, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
        for _ in range(STEPS):
            rows = torch.randint(len(x), (BATCH,))
            # The distance itself, not its square: that is what is measured, and hidden objects must not rule the rest.
            loss = (self._network(x[rows]) - y[rows]).norm(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()

    @torch.no_grad()
    def recover(self, inputs: np.ndarray) -> Array:
        """Positions (N, 3) [m] from inputs (N, D)."""
        x = self._inputs.standardise(torch.from_numpy(inputs).float())
        return self._positions.restore(self._network(x)).double().numpy()


class _Standard:
    """Columns moved and scaled to mean 0 and deviation 1."""

    def __init__(self, rows: torch.Tensor) -> None:
        self._mean = rows.mean(0)
        self._deviation = rows.std(0, correction=0).clamp_min(LEAST_DEVIATION)

    def standardise(self, rows: torch.Tensor) -> torch.Tensor:
        return (rows - self._mean) / self._deviation

    def restore(self, rows: torch.Tensor) -> torch.Tensor:
        return rows * self._deviation + self._mean


def position_errors(
    features: np.ndarray, scenes: Scenes, probe_features: np.ndarray, probe_scenes: Scenes, seed: int
) -> PositionErrors:
    """How well the object's position can be told from `features` (N, D) of the images of `scenes`.

    The probe learns from `probe_features` (M, D) of the images of `probe_scenes`, none of which is in `scenes`.
    """
    learnt, truth = _from_tool(probe_scenes), _from_tool(scenes)
    cases = _cases(scenes)

    def errors(given: np.ndarray, probe_given: np.ndarray) -> Array:
        """Distances (N,) [mm] of a probe that gets these features and the state of the end effector."""
        probe = Probe(np.concatenate([probe_given, end_effector(probe_scenes)], axis=1), learnt, seed)
        return _distances(probe.recover(np.concatenate([given, end_effector(scenes)], axis=1)), truth)

    def lying_median(distances: Array) -> float | None:
        lying = distances[cases["lying"]]
        return float(np.median(lying)) if len(lying) else None

    recovered = errors(features, probe_features)
    blind = errors(features[:, :0], probe_features[:, :0])
    return PositionErrors(
        position_error_mm=lying_median(recovered),
        position_error_of_mean_mm=lying_median(_distances(learnt.mean(axis=0), truth)),
        position_error_of_tool_mm=lying_median(blind),
        position_error_of_projections_mm=lying_median(errors(projections(scenes), projections(probe_scenes))),
        position_error={name: _summary(recovered[rows], blind[rows]) for name, rows in cases.items()},
    )


def projections(scenes: Scenes) -> Array:
    """Where a perfect encoder would see the object and the tool centre point, (N, 4): u, v of each."""
    points = scenes.object_position, scenes.tcp
    return np.concatenate([scenes.cameras.project(point) for point in points], axis=1)


def end_effector(scenes: Scenes) -> np.ndarray:
    """The end effector's state as a policy sees it, (N, 4)."""
    pairs = zip(scenes.tcp, scenes.opening.tolist(), strict=True)
    return np.stack([end_effector_observation(tcp, opening) for tcp, opening in pairs])


def _from_tool(scenes: Scenes) -> Array:
    """The object's position (N, 3) [m] from the tool centre point."""
    return scenes.object_position - scenes.tcp


def _cases(scenes: Scenes) -> dict[str, npt.NDArray[np.bool_]]:
    visible = scenes.pixels(TARGET) >= VISIBLE_PIXELS
    return {"lying": visible & ~scenes.held, "held": visible & scenes.held, "hidden": ~visible}


def _distances(recovered: Array, truth: Array) -> Array:
    return MILLIMETRES * np.linalg.norm(recovered - truth, axis=1)


def _summary(distances: Array, without_picture: Array) -> PositionError:
    if not len(distances):
        return PositionError(0, None, None, None)
    p90 = float(np.quantile(distances, 0.9))
    return PositionError(len(distances), float(np.median(distances)), p90, float(np.median(without_picture)))

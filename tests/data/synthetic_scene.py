"""A scene that needs no simulator: a textured plane, a U-shaped gripper and a square target."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import numpy as np

from kprl.data.config import GenerateConfig
from kprl.errors import KprlError

SIZE = 64
PLANE_DEPTH, GRIPPER_DEPTH, TARGET_DEPTH = 0.8, 0.6, 0.75  # [m]


@dataclass(frozen=True)
class SyntheticFrame:
    grey: np.ndarray
    depth: np.ndarray
    segmentation: np.ndarray


class SyntheticWorld:
    def scatter(self, seed: int) -> SyntheticFrame:
        rng = np.random.default_rng(seed)
        rows, columns = np.mgrid[:SIZE, :SIZE]
        texture = 20 * np.sin(rows * rng.uniform(0.1, 0.5)) + 10 * rng.standard_normal((SIZE, SIZE))
        grey = rng.uniform(90, 160) + texture
        depth = np.full((SIZE, SIZE), PLANE_DEPTH) - 0.002 * rows
        segmentation = np.zeros((SIZE, SIZE), np.uint8)
        x, y = rng.integers(14, 50, 2)
        target = (abs(rows - y) <= 4) & (abs(columns - x) <= 4)
        x, y = rng.integers(14, 50, 2)
        palm = (abs(rows - y) <= 3) & (abs(columns - x) <= 8)
        fingers = (rows > y) & (rows < y + 10) & (abs(abs(columns - x) - 7) <= 1)
        for mask, level, value, metres in (
            (target, rng.uniform(200, 250), 2, TARGET_DEPTH),
            (palm | fingers, rng.uniform(5, 50), 1, GRIPPER_DEPTH),
        ):
            grey[mask], segmentation[mask], depth[mask] = level, value, metres
        return SyntheticFrame(np.clip(grey, 0, 255).astype(np.uint8), depth.astype(np.float32), segmentation)

    def close(self) -> None:
        pass


def make_synthetic_world(config: GenerateConfig) -> SyntheticWorld:
    return SyntheticWorld()


def make_dying_world(config: GenerateConfig) -> SyntheticWorld:
    """Ends its process at once, as the kernel does to one that needs too much memory."""
    os._exit(9)


class SlowWorld(SyntheticWorld):
    """As slow as a simulator, for tests that need the time to interrupt it."""

    def scatter(self, seed: int) -> SyntheticFrame:
        time.sleep(0.001)
        return super().scatter(seed)


def make_slow_world(config: GenerateConfig) -> SlowWorld:
    return SlowWorld()


def make_once_dying_world(config: GenerateConfig) -> SyntheticWorld:
    """Ends the first process that asks for it, and no other."""
    try:
        config.out.with_suffix(".died").touch(exist_ok=False)
    except FileExistsError:
        return SyntheticWorld()
    os._exit(9)


def make_refusing_world(config: GenerateConfig) -> SyntheticWorld:
    raise KprlError("this world has no camera")


def make_faulty_world(config: GenerateConfig) -> SyntheticWorld:
    raise ZeroDivisionError("a fault of the program")


def make_stuck_world(config: GenerateConfig) -> SyntheticWorld:
    time.sleep(3600)
    raise AssertionError

"""Overlay images of some episodes, for a film that runs as fast as the robot did. Pure: no node, no message."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from kprl.control.limits import CONTROL_PERIOD
from kprl.film import write_gif

Frame = npt.NDArray[np.uint8]  # (H, W, 3)
NANOSECOND = 1e-9  # [s]


class OverlayFilm:
    """Frames with their stamps; an episode's are those between its first and its last observation."""

    def __init__(self) -> None:
        self._coming: list[tuple[int, Frame]] = []
        self._episodes: list[list[tuple[int, Frame]]] = []

    def add(self, stamp: int, frame: Frame) -> None:
        """A frame of the observation of `stamp` [ns], of whatever episode."""
        self._coming.append((stamp, frame))

    def end_episode(self, first: int, last: int) -> None:
        """Keep the frames from `first` to `last` [ns] as one episode; drop the others, of the world before."""
        frames = [(stamp, frame) for stamp, frame in self._coming if first <= stamp <= last]
        self._coming.clear()
        if frames:
            self._episodes.append(frames)

    @property
    def period(self) -> float:
        """Mean time [s] from frame to frame, in the time of the observations."""
        spans = [frames[-1][0] - frames[0][0] for frames in self._episodes]
        gaps = sum(len(frames) - 1 for frames in self._episodes)
        return sum(spans) * NANOSECOND / gaps if gaps else CONTROL_PERIOD

    def write(self, path: Path) -> None:
        """Write the film, if any frame has come."""
        if self._episodes:
            write_gif(path, [[frame for _, frame in frames] for frames in self._episodes], self.period)

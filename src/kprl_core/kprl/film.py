"""Episodes as animated GIFs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from kprl.control.limits import CONTROL_HZ
from kprl.files import atomic_file

COLOURS = 64  # a grey scene with coloured dots needs no more, and the file halves


def write_gif(path: Path, episodes: Sequence[Sequence[npt.NDArray[np.uint8]]]) -> None:
    """Write episodes of frames (H, W, 3) uint8 one after the other, in real time, looping."""
    pictures = [
        Image.fromarray(frame).quantize(COLOURS, dither=Image.Dither.NONE) for frames in episodes for frame in frames
    ]
    if not pictures:
        raise ValueError("a GIF needs at least one frame")
    with atomic_file(path) as beside:
        pictures[0].save(
            beside, format="GIF", save_all=True, append_images=pictures[1:], duration=int(1000 / CONTROL_HZ), loop=0
        )

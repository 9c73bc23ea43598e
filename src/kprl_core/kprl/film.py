"""Episodes as animated GIFs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from kprl.control.limits import CONTROL_PERIOD
from kprl.files import atomic_file

COLOURS = 64  # a grey scene with coloured dots needs no more, and the file halves
METHOD = Image.Quantize.MAXCOVERAGE  # the usual median cut gives all colours to the greys, and none to the few dots


def write_gif(
    path: Path, episodes: Sequence[Sequence[npt.NDArray[np.uint8]]], period: float = CONTROL_PERIOD
) -> None:
    """Write episodes of frames (H, W, 3) uint8 one after the other, looping.

    `period` is the time [s] from frame to frame; the format rounds it to hundredths of a second.
    """
    pictures = [
        Image.fromarray(frame).quantize(COLOURS, METHOD, dither=Image.Dither.NONE)
        for frames in episodes
        for frame in frames
    ]
    if not pictures:
        raise ValueError("a GIF needs at least one frame")
    with atomic_file(path) as beside:
        pictures[0].save(
            beside, format="GIF", save_all=True, append_images=pictures[1:], duration=round(100 * period) * 10, loop=0
        )

"""Films of episodes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from kprl.film import write_gif

DOTS = {(20, 20): (255, 40, 40), (20, 60): (40, 255, 60), (60, 20): (60, 80, 255), (60, 60): (255, 60, 220)}


def test_a_film_keeps_the_colours_of_a_few_dots_on_a_grey_scene(tmp_path: Path) -> None:
    ramp = np.linspace(20, 230, 320)[None, :, None] + np.random.default_rng(0).normal(0, 12, (320, 320, 1))
    frame = np.clip(ramp, 0, 255).astype(np.uint8).repeat(3, axis=2)
    for (y, x), colour in DOTS.items():
        frame[y : y + 6, x : x + 6] = colour
    write_gif(tmp_path / "film.gif", [[frame, frame[::-1]], [frame]])
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 3
        seen = np.asarray(film.convert("RGB"), float)
    for (y, x), colour in DOTS.items():
        assert np.abs(seen[y + 3, x + 3] - colour).max() < 40
    greys = np.abs(seen - frame).max(axis=2)
    assert np.median(greys) < 8

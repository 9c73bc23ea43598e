"""A camera that is stuck is told from one that looks at something that rests."""

import numpy as np
import pytest

from kprl.errors import KprlError
from kprl_keypoints.repeats import Repeats


def images(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, 4, 6), np.uint8))


def test_an_image_may_come_again_so_often_and_no_more() -> None:
    one, other = images(2)
    repeats = Repeats(2)
    for _ in range(2):
        for image in (one, one.copy(), one.copy(), other):
            repeats.require_alive(image)
    for _ in range(2):
        repeats.require_alive(other.copy())
    with pytest.raises(KprlError, match="the same image for the 4th time, at most 3 times"):
        repeats.require_alive(other.copy())
    repeats.require_alive(one)


def test_simulated_images_may_repeat_for_ever() -> None:
    repeats = Repeats(0)
    for _ in range(100):
        repeats.require_alive(images(1)[0])

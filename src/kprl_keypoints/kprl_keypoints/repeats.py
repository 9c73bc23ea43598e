"""A camera whose buffer is stuck sends the same image with new stamps. A sensor's noise makes no two alike. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kprl.errors import KprlError


class Repeats:
    """Counts how often an image came again, bit for bit; `most` times it may, 0: as often as it likes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._last: npt.NDArray[np.uint8] | None = None
        self._count = 0

    def require_alive(self, grey: npt.NDArray[np.uint8]) -> None:
        """Errors: `KprlError` where the image (H, W) is the one before, once too often."""
        if self._most == 0:
            return
        is_same = self._last is not None and np.array_equal(grey, self._last)
        self._count = self._count + 1 if is_same else 0
        self._last = grey
        if self._count > self._most:
            raise KprlError(
                f"the camera sends the same image for the {self._count + 1}th time, at most {1 + self._most} times are "
                "acted on: is it stuck? plug it in anew"
            )

"""All that `kprl keypoints eval` measures of an encoder, in one result."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from kprl.keypoints.encoder import Encoder
from kprl.keypoints.evaluate import Metrics, encode_all, has_keypoints, measure
from kprl.keypoints.probe import PositionErrors, position_errors
from kprl.keypoints.scenes import Scenes
from kprl.keypoints.wander import Wander, wander


@dataclass(frozen=True)
class Quality:
    """Metrics and wander are None for features that are no keypoints."""

    images: int
    metrics: Metrics | None
    wander: Wander | None
    position: PositionErrors

    def as_json(self) -> dict[str, Any]:
        """The keys of the result file, the same ones for every encoder; the lists come last."""
        values: dict[str, Any] = dict.fromkeys(KEYPOINT_KEYS)
        for part in (self.metrics, self.wander, self.position):
            values |= asdict(part) if part else {}
        lists = {name: values.pop(name) for name in ("position_error", "keypoints")}
        return values | {"images": self.images} | lists

    def report(self) -> str:
        """A few lines for people."""
        return "\n".join([*self._keypoint_lines(), *self._position_lines()])

    def _keypoint_lines(self) -> list[str]:
        if self.metrics is None or self.wander is None:
            return [f"{self.images} images; the features are no keypoints: only the probe says something of them"]
        m, w = self.metrics, self.wander
        return [
            f"{m.images} images: {m.confident:.0%} of the keypoints are confident, "
            f"{m.on_target:.1%} of those on gripper or target",
            f"objects covered {m.objects_covered:.1%}, equivariance {m.equivariance_px:.2f} px",
            f"wander {_number(w.wander_px, 2)} px, median {_number(w.wander_median_px, 2)} px:",
            *(
                f"  {k.index:2d}  {_number(k.px, 2):>5} px  confident {k.confident:4.0%}  {k.body or '-'}"
                for k in w.keypoints
            ),
        ]

    def _position_lines(self) -> list[str]:
        p = self.position
        cases = p.position_error.items()
        return [
            f"the object's position from the tool: {_number(p.position_error_mm)} mm off, median, visible on the table",
            f"  for comparison: {_number(p.position_error_of_projections_mm)} mm from exact projections, "
            f"{_number(p.position_error_of_tool_mm)} mm without the picture, "
            f"{_number(p.position_error_of_mean_mm)} mm from nothing",
            *(f"  {n}: {_number(e.median_mm)} mm, 90 % within {_number(e.p90_mm)} mm ({e.images} images)"
              for n, e in cases),
        ]  # fmt: skip


KEYPOINT_KEYS = (
    "on_target", "objects_covered", "equivariance_px", "confident", "images",
    "wander_px", "wander_median_px", "keypoints",
)  # fmt: skip


def measure_quality(encoder: Encoder, encoded: np.ndarray, scenes: Scenes, probe_scenes: Scenes, seed: int) -> Quality:
    """Quality of `encoder`, which made `encoded` (N, K, 3 or 2) of the images of `scenes`.

    `probe_scenes`: other images, of the training's domain, from which a probe learns; `seed` decides its beginning.
    """
    probe_encoded = encode_all(encoder, probe_scenes.dataset.grey)
    position = position_errors(_features(encoded), scenes, _features(probe_encoded), probe_scenes, seed)
    if not has_keypoints(encoded):
        return Quality(len(scenes), None, None, position)
    return Quality(len(scenes), measure(encoder, scenes.dataset, encoded), wander(encoded, scenes), position)


def _features(encoded: np.ndarray) -> np.ndarray:
    """Encodings (N, K, 3 or 2) as a policy sees them, (N, 2 K): without confidence."""
    return encoded[..., :2].reshape(len(encoded), -1)


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"

"""Whether what is known is fresh and whole enough to act on. Pure: no node, no message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kprl_ros.topics import EE_POSE, GOAL, JOINT_STATES, KEYPOINTS, at_root

MAX_AGE = 0.1  # [s] of an observation, and between the parts of one
NANOSECOND = 1e-9  # [s]
INCOMPLETE = "waiting for the rest of the observation"  # the ordinary state between two messages in lockstep


@dataclass(frozen=True)
class Parts:
    """The newest of each, with stamps [ns]; None where nothing came yet."""

    keypoints: npt.NDArray[np.float32] | None  # (K, 2) in [-1, 1]
    keypoints_stamp: int
    tcp: npt.NDArray[np.float64] | None  # (3,) [m]
    tcp_stamp: int
    opening: float | None  # [m]
    opening_stamp: int
    goal: npt.NDArray[np.float64] | None  # (3,) [m]


def why_not(
    parts: Parts, num_keypoints: int, now: int | None, show: Callable[[str], str] = at_root
) -> str:
    """Why the policy must not act on `parts`; empty where it may.

    `now` [ns] is the present in real time, None in lockstep: there time stands still until the policy acts, and all
    parts must be of the very same moment. `show` makes of a topic what people read.
    """
    missing = [
        topic
        for topic, value in (
            (KEYPOINTS, parts.keypoints),
            (EE_POSE, parts.tcp),
            (JOINT_STATES, parts.opening),
            (GOAL, parts.goal),
        )
        if value is None
    ]
    if missing:
        return f"nothing has come on {', '.join(map(show, missing))} yet"
    assert parts.keypoints is not None and parts.tcp is not None and parts.goal is not None
    if len(parts.keypoints) != num_keypoints:
        return (
            f"{show(KEYPOINTS)} carries {len(parts.keypoints)} keypoints: the bundle expects {num_keypoints}, "
            "run both nodes on one bundle"
        )
    for topic, values in ((KEYPOINTS, parts.keypoints), (EE_POSE, parts.tcp), (JOINT_STATES, parts.opening),
                          (GOAL, parts.goal)):  # fmt: skip
        if not np.isfinite(values).all():  # type: ignore[arg-type]
            return f"{show(topic)} is not finite"
    return _why_stale(parts, now, show)


def behind(parts: Parts) -> list[str]:
    """Topics whose newest message is older than that of another: in lockstep, those that hold up the rest."""
    stamps = _stamps(parts)
    return [topic for topic, stamp in stamps.items() if stamp < max(stamps.values())]


def _stamps(parts: Parts) -> dict[str, int]:
    return {KEYPOINTS: parts.keypoints_stamp, EE_POSE: parts.tcp_stamp, JOINT_STATES: parts.opening_stamp}


def _why_stale(parts: Parts, now: int | None, show: Callable[[str], str]) -> str:
    stamps = _stamps(parts)
    if now is None:
        return "" if len(set(stamps.values())) == 1 else INCOMPLETE
    spread = (max(stamps.values()) - min(stamps.values())) * NANOSECOND
    if spread > MAX_AGE:
        oldest = min(stamps, key=lambda topic: stamps[topic])
        return f"{show(oldest)} is {spread:.2f} s behind the others: at most {MAX_AGE:g} s is acted on"
    age = (now - min(stamps.values())) * NANOSECOND
    if age > MAX_AGE:
        return f"the observation is {age:.2f} s old: at most {MAX_AGE:g} s is acted on; is the machine overloaded?"
    ahead = (max(stamps.values()) - now) * NANOSECOND
    if ahead > MAX_AGE:
        return f"the observation is {ahead:.2f} s ahead of this machine's clock: synchronise the clocks"
    return ""

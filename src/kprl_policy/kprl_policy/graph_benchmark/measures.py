"""From the nodes' logs to numbers. Pure: no node. All times are ROS time of one machine [ns]."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

MILLISECOND = 1_000_000  # [ns]
DELIVERY = 10 * MILLISECOND  # that an image may be on its way: one that is younger need not be known yet


class Handled(NamedTuple):
    """An image that a node was given and answered."""

    stamp: int  # of the image
    begun: int
    done: int


class Published(NamedTuple):
    """An image that the camera sent."""

    stamp: int
    done: int  # when the call that published it was over


def latencies_ms(handled: Iterable[Handled]) -> list[float]:
    """From each image's stamp to its answer [ms]."""
    return [(entry.done - entry.stamp) / MILLISECOND for entry in handled]


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """p50, p99 and max."""
    return {
        "p50": float(np.percentile(values, 50)),
        "p99": float(np.percentile(values, 99)),
        "max": float(np.max(values)),
    }


def queued(handled: Iterable[Handled], published: Sequence[Published]) -> int:
    """How many images a node took up although a newer one lay there already: with `newest wins` none."""
    done = sorted(entry.done for entry in published)
    newest_stamps = sorted(entry.stamp for entry in published)
    count = 0
    for entry in handled:
        there = bisect_left(done, entry.begun - DELIVERY)  # so many images had been delivered for certain
        count += there > 0 and newest_stamps[there - 1] > entry.stamp
    return count


def stages_ms(keypoints: Sequence[Handled], policy: Sequence[Handled]) -> dict[str, float]:
    """Medians [ms] of the ways and the work between an image and its command."""
    encoded = {entry.stamp: entry for entry in keypoints}
    pairs = [(encoded[entry.stamp], entry) for entry in policy if entry.stamp in encoded]
    parts = {
        "image_transport": [first.begun - first.stamp for first, _ in pairs],
        "keypoint_node": [first.done - first.begun for first, _ in pairs],
        "keypoints_transport": [second.begun - first.done for first, second in pairs],
        "policy_node": [second.done - second.begun for _, second in pairs],
    }
    return {name: float(np.median(values)) / MILLISECOND for name, values in parts.items()} if pairs else {}

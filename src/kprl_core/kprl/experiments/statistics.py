"""Mean and variance over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Spread(NamedTuple):
    """Mean and unbiased variance (divided by n - 1) of n numbers; the variance of a single one is NaN."""

    mean: float
    variance: float
    seeds: int


class Band(NamedTuple):
    """The same of n curves at each of P places."""

    step: Floats  # (P,) environment steps
    mean: Floats  # (P,)
    variance: Floats  # (P,)
    seeds: int


def spread(values: Sequence[float]) -> Spread:
    """Of at least one number."""
    array = np.asarray(values, np.float64)
    return Spread(float(array.mean()), float(_variance(array)), len(array))


def band(curves: Sequence[Sequence[tuple[float, float]]]) -> Band:
    """Of at least one curve of (step, value), in order of its steps.

    The places are all steps of any curve up to where the shortest one ends; between its own steps a curve is linear.
    """
    tables = [np.asarray(curve, np.float64) for curve in curves]
    end = min(table[-1, 0] for table in tables)
    begin = max(table[0, 0] for table in tables)
    step = np.unique(np.concatenate([table[:, 0] for table in tables]))
    step = step[(step >= begin) & (step <= end)]
    values = np.array([np.interp(step, table[:, 0], table[:, 1]) for table in tables])  # (n, P)
    return Band(step, values.mean(axis=0), _variance(values), len(tables))


def _variance(values: Floats) -> Floats:
    """Over the first axis."""
    if len(values) == 1:
        return np.full(values.shape[1:], np.nan)
    return np.asarray(values.var(axis=0, ddof=1))

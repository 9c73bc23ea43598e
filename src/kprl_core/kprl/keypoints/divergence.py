"""When a training should stop because it no longer learns but falls apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

WORSE = 1.5  # x the best held-out loss: far beyond what chance does to it
PATIENCE = 2  # validations in a row that may be so bad
SETTLED_STEPS = 300  # before, the running statistics of batch normalisation mean nothing


@dataclass
class DivergenceWatch:
    """Follows the loss on held-out images."""

    best: float = math.inf
    worse: int = 0  # validations in a row that were much worse than the best

    def verdict(self, loss: float, step: int, last: bool = False) -> str | None:
        """What is wrong, in words; None if nothing is. The `last` validation gets no second chance."""
        if not math.isfinite(loss):
            return f"the loss on held-out images became {loss} at step {step}"
        if step < SETTLED_STEPS:
            return None
        self.best = min(self.best, loss)
        self.worse = self.worse + 1 if loss > WORSE * self.best else 0
        if self.worse < (1 if last else PATIENCE):
            return None
        return f"the loss on held-out images was {loss:.3g} at step {step}, {loss / self.best:.1f} times its best"

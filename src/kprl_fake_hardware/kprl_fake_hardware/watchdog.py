"""`rtde_set_watchdog(variable, min_frequency, "stop")` of URScript: a client must keep writing an input."""

from __future__ import annotations


class Watchdog:
    """Armed by the program for as long as it runs."""

    def __init__(self, variable: str, frequency: float) -> None:
        """`frequency` [Hz] of 0 can never be kept: it trips at the next tick."""
        self.variable = variable
        self.period = 1.0 / frequency if frequency > 0.0 else 0.0  # [s]
        self.age = 0.0  # [s] since the input was last written

    def see(self, variable: str) -> None:
        """A client wrote `variable`."""
        if variable == self.variable:
            self.age = 0.0

    def tick(self, period: float) -> bool:
        """Let `period` [s] pass; returns whether the client has been silent for too long."""
        self.age += period
        return self.age > self.period

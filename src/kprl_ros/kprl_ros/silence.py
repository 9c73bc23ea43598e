"""Which topics ought to speak and do not. Pure: no node, no message."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

SILENCE = 2.0  # [s] without a message after which a topic counts as absent
LOOK_PERIOD = 1.0  # [s] between two looks of a node for absent topics


class Silence:
    """When each topic was last heard of, on a clock that only grows; `show` makes of a topic what people read."""

    def __init__(
        self,
        topics: Iterable[str],
        show: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._topics, self._show, self._clock = tuple(topics), show, clock
        self._heard: dict[str, float] = {}
        self._since = clock()

    def hear(self, topic: str) -> None:
        """A message has come."""
        self._heard[topic] = self._clock()

    def restart(self) -> None:
        """Silence until now was in order."""
        self._since = self._clock()

    def absent(self) -> list[str]:
        """Topics silent for longer than SILENCE; if some of them have never spoken, those alone: they are the cause."""
        now = self._clock()
        silent = [topic for topic in self._topics if now - max(self._since, self._heard.get(topic, 0.0)) > SILENCE]
        return [topic for topic in silent if topic not in self._heard] or silent

    def reason(self, absent: Iterable[str], hint: str) -> str:
        """One line for the log: who is absent, for how long, and what to look at."""
        topics = list(absent)
        seconds = self._clock() - max([self._since, *(self._heard[topic] for topic in topics if topic in self._heard)])
        return f"no message on {', '.join(map(self._show, topics))} for {seconds:.0f} s: {hint}"

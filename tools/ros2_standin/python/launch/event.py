"""Base of the events of a launch."""

from __future__ import annotations

from launch._standin.refusal import StrictKeywords


class Event(metaclass=StrictKeywords):
    """Something that happened."""

    name = "launch.Event"

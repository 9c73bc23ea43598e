"""The things to manipulate, as boxes: what collides is what is seen."""

from __future__ import annotations

from dataclasses import dataclass

Part = tuple[tuple[float, float, float], tuple[float, float, float]]  # half sizes, centre [m]


@dataclass(frozen=True)
class ObjectModel:
    """A rigid object; its origin is its centre, and it rests on the table at `rest_height`."""

    name: str
    parts: tuple[Part, ...]
    mass: float  # [kg]
    rest_height: float  # [m] of the origin over the table
    grip_width: float  # [m] between the fingers that hold it


OBJECTS = {
    "cube": ObjectModel("cube", (((0.0225, 0.0225, 0.0225), (0.0, 0.0, 0.0)),), 0.10, 0.0225, 0.045),
}

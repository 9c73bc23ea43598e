"""The things to manipulate and the clutter around them, as data; what collides is the convex hull of each part."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kprl.errors import KprlError, require_choice

ASSETS = Path(__file__).parent / "assets"
Vec = tuple[float, float, float]


@dataclass(frozen=True)
class Box:
    """A cuboid; half sizes and centre [m] in the body's frame."""

    half: Vec
    centre: Vec = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Mesh:
    """A Wavefront file of the assets folder [m], scaled and then moved to `centre` [m] in the body's frame."""

    file: str
    centre: Vec = (0.0, 0.0, 0.0)
    scale: Vec = (1.0, 1.0, 1.0)

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return ASSETS / self.file


@dataclass(frozen=True)
class ObjectModel:
    """A rigid object; its origin is its centre of mass, its long side lies along x, and fingers close along y."""

    name: str
    parts: tuple[Box | Mesh, ...]
    mass: float  # [kg]
    rest_height: float  # [m] of the origin over the table
    grip_width: float  # [m] between the fingers that hold it
    radius: float  # [m] of the circle about the origin that covers it seen from above


OBJECTS = {
    model.name: model
    for model in (
        ObjectModel("cube", (Box((0.0225, 0.0225, 0.0225)),), 0.10, 0.0225, 0.045, 0.032),
        ObjectModel("rectangle", (Box((0.045, 0.02, 0.02)),), 0.15, 0.02, 0.04, 0.0495),
        ObjectModel("mouse", (Mesh("mouse.obj", (-0.0016, 0.0, -0.0147)),), 0.09, 0.0147, 0.056, 0.0515),
        ObjectModel(
            "gear",
            (Mesh("gear_wheel.obj", (0.0, 0.0, -0.0159)), Mesh("gear_hub.obj", (0.0, 0.0, 0.0081))),
            0.18, 0.0159, 0.056, 0.0285,
        ),
    )
}  # fmt: skip


def object_models(names: str) -> tuple[ObjectModel, ...]:
    """The models that a setting `object` names: one, or several as in `cube+gear`, of which each episode has one.

    Errors: `KprlError` that lists the objects for an unknown one, or says which is named twice.
    """
    chosen = [require_choice("object", name, list(OBJECTS)) for name in names.split("+")]
    if twice := [name for name in chosen if chosen.count(name) > 1]:
        raise KprlError(f"the object '{twice[0]}' is named twice in '{names}': name each once")
    return tuple(OBJECTS[name] for name in chosen)


# Clutter: 30 to 70 mm, none like a target.
DISTRACTORS = (
    ObjectModel("small_box", (Box((0.015, 0.017, 0.015)),), 0.05, 0.015, 0.034, 0.023),
    ObjectModel("tall_box", (Box((0.016, 0.016, 0.034)),), 0.08, 0.034, 0.032, 0.023),
    ObjectModel("plate", (Box((0.033, 0.025, 0.006)),), 0.06, 0.006, 0.05, 0.0415),
    ObjectModel("can", (Mesh("prism8.obj", scale=(0.05, 0.05, 0.06)),), 0.10, 0.03, 0.047, 0.0255),
    ObjectModel("disc", (Mesh("prism8.obj", scale=(0.065, 0.065, 0.018)),), 0.08, 0.009, 0.061, 0.033),
    ObjectModel(
        "step", (Box((0.03, 0.018, 0.01), (0.0, 0.0, -0.0067)), Box((0.015, 0.018, 0.01), (0.0, 0.0, 0.0133))),
        0.07, 0.0167, 0.036, 0.0355,
    ),
)  # fmt: skip

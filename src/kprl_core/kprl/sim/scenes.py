"""The scenes: which table, and how much lies about the object. Data in config/world/scenes.yaml."""

from __future__ import annotations

from dataclasses import dataclass

from kprl.errors import KprlError, require_choice
from kprl.sim.config_files import FOLDER, Range, build, read_yaml

FILE = "scenes.yaml"


@dataclass(frozen=True)
class Scene:
    """One scene; lengths [m] in base_link."""

    table_centre: tuple[float, ...]  # (2,) x and y
    table_half: tuple[float, ...]  # (2,) half sizes along x and y
    pattern: float  # times the drawn contrast of the table's texture
    distractors: Range  # fewest and most


def read_scene(name: str) -> Scene:
    """The scene of a name; KprlError names the choices, or what is wrong in the file."""
    path = FOLDER / FILE
    scenes = read_yaml(path)
    if not isinstance(scenes, dict):
        raise KprlError(f"{path} holds {scenes!r}: expected scenes by name")
    return build(Scene, scenes[require_choice("scene", name, [str(key) for key in scenes])], f"{path}: {name}")

"""Writes mouse.obj, gear_wheel.obj and gear_hub.obj: the objects that are more than boxes, in few triangles.

Run `python -m kprl.sim.assets.make_objects` after changing a shape; a test compares the result. Every mesh stands on
z = 0 about the z axis, in metres; faces are flat-shaded and have texture coordinates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

FOLDER = Path(__file__).parent
TEXTURE_SIZE = 0.1  # [m] that a texture covers: more than any of these objects
Array = npt.NDArray[np.float64]

# One half of the mouse's outline [m], front (+x) to back, and (height [m], scale of the outline, shift [m] along x).
MOUSE_OUTLINE = ((0.049, 0.018), (0.036, 0.028), (-0.018, 0.028), (-0.040, 0.020), (-0.049, 0.008))
MOUSE_SECTIONS = ((0.0, 1.0, 0.0), (0.019, 1.0, 0.0), (0.028, 0.80, -0.002), (0.034, 0.45, -0.008))

GEAR_TEETH = 10
GEAR_RADIUS = 0.028  # [m] of the middle of a tip
GEAR_ROOT = 0.021  # [m] radius of a gap's bottom
GEAR_TIP_SHARE = 0.5  # of the pitch that a tip takes
GEAR_THICKNESS = 0.024  # [m]
HUB_RADIUS = 0.013  # [m] to the middle of a side
HUB_HEIGHT = 0.020  # [m] above the wheel
HUB_SIDES = 8


def mouse() -> Array:
    """Triangles (n, 3, 3) of a computer mouse."""
    half = np.array(MOUSE_OUTLINE)
    outline = np.concatenate([half, half[::-1] * (1, -1)])
    rings = [_at(outline * scale + (shift, 0.0), z) for z, scale, shift in MOUSE_SECTIONS]
    return np.concatenate([_sides(rings), _fan(rings[-1]), _fan(rings[0])[:, ::-1]])


def gear_wheel() -> Array:
    """Triangles (n, 3, 3) of the gear's toothed wheel: flat tips, V-shaped gaps."""
    pitch = 2 * np.pi / GEAR_TEETH
    tip = 0.5 * GEAR_TIP_SHARE * pitch
    # One tip points along +y and one along -y: where the fingers come from.
    middle = 0.5 * np.pi + pitch * np.arange(GEAR_TEETH)
    angles = np.column_stack([middle - pitch / 2, middle - tip, middle + tip]).ravel()
    radii = np.tile([GEAR_ROOT, GEAR_RADIUS / np.cos(tip), GEAR_RADIUS / np.cos(tip)], GEAR_TEETH)
    outline = np.column_stack([radii * np.cos(angles), radii * np.sin(angles)])
    low, high = _at(outline, 0.0), _at(outline, GEAR_THICKNESS)
    return np.concatenate([_sides([low, high]), _wheel_face(high), _wheel_face(low)[:, ::-1]])


def gear_hub() -> Array:
    """Triangles (n, 3, 3) of the gear's hub, without the underside that lies on the wheel."""
    angles = 2 * np.pi * (np.arange(HUB_SIDES) + 0.5) / HUB_SIDES
    outline = HUB_RADIUS / np.cos(np.pi / HUB_SIDES) * np.column_stack([np.cos(angles), np.sin(angles)])
    low, high = _at(outline, 0.0), _at(outline, HUB_HEIGHT)
    return np.concatenate([_sides([low, high]), _fan(high)])


def _at(outline: Array, z: float) -> Array:
    """An outline (m, 2) as a ring (m, 3) at a height."""
    return np.column_stack([outline, np.full(len(outline), z)])


def _sides(rings: Sequence[Array]) -> Array:
    """Triangles (n, 3, 3) between counter-clockwise rings (m, 3) in rising z, counter-clockwise seen from outside."""
    faces = []
    for low, high in zip(rings[:-1], rings[1:], strict=True):
        for i in range(len(low)):
            j = (i + 1) % len(low)
            faces += [(low[i], low[j], high[j]), (low[i], high[j], high[i])]
    return np.array(faces)


def _fan(ring: Array) -> Array:
    """Triangles (m - 2, 3, 3) of a convex polygon (m, 3)."""
    return np.array([(ring[0], ring[i], ring[i + 1]) for i in range(1, len(ring) - 1)])


def _wheel_face(ring: Array) -> Array:
    """Triangles (n, 3, 3) of a toothed polygon whose corners are gap, tip, tip, gap, tip, tip, and so on."""
    gaps, first, second = ring[0::3], ring[1::3], ring[2::3]
    following = np.roll(gaps, -1, axis=0)
    teeth = [np.stack([gaps, first, second], axis=1), np.stack([gaps, second, following], axis=1)]
    return np.concatenate([*teeth, _fan(gaps)])


def to_obj(triangles: Array) -> str:
    """Wavefront text of triangles (n, 3, 3), each face with its own normal and box-mapped texture coordinates."""
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    vertices, textures, directions = _Rows("v"), _Rows("vt"), _Rows("vn")
    faces = []
    for corners, normal in zip(triangles, normals, strict=True):
        seen_along = int(np.abs(normal).argmax())
        flat = np.delete(corners, seen_along, axis=1) / TEXTURE_SIZE + 0.5  # (3, 2)
        n = directions.index(normal)
        pairs = zip(corners, flat, strict=True)
        faces.append("f " + " ".join(f"{vertices.index(xyz)}/{textures.index(uv)}/{n}" for xyz, uv in pairs))
    return "\n".join([*vertices.lines, *textures.lines, *directions.lines, *faces]) + "\n"


class _Rows:
    """Lines of one kind in a Wavefront file, without repetition."""

    def __init__(self, kind: str) -> None:
        self._kind, self._numbers = kind, dict[str, int]()

    @property
    def lines(self) -> list[str]:
        return list(self._numbers)

    def index(self, values: Array) -> int:
        """Number, from 1, of the line with these values; adds it when it is new."""
        # Adding zero turns -0.0 into 0.0.
        line = " ".join([self._kind, *(f"{value:.6f}" for value in np.round(values, 6) + 0.0)])
        return self._numbers.setdefault(line, len(self._numbers) + 1)


FILES: dict[str, Callable[[], Array]] = {"mouse.obj": mouse, "gear_wheel.obj": gear_wheel, "gear_hub.obj": gear_hub}

if __name__ == "__main__":
    for name, shape in FILES.items():
        (FOLDER / name).write_text(to_obj(shape()))

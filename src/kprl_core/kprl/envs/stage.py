"""What stands about the robot: table, object and distractors, with the looks and contacts of an episode."""

from __future__ import annotations

from collections.abc import Sequence

from kprl.control.rotation import about_z
from kprl.sim.bullet import Bullet
from kprl.sim.objects import DISTRACTORS, Box, Mesh, ObjectModel
from kprl.sim.randomization import Appearance, Surface
from kprl.sim.scenes import Scene
from kprl.tasks.start_states import StartState

TABLE_THICKNESS = 0.04  # [m]
PARKED_HEIGHT = -3.0  # [m] where bodies wait that an episode does not use: behind the camera's far plane
AWAY = (0.5, 0.0, 2.0)  # [m] where the object touches nothing
UPRIGHT = (0.0, 0.0, 0.0, 1.0)
OBJECT_SPIN = 0.005  # [m] spinning friction of the object: a fingertip is no point


class Stage:
    """The bodies are made once; every episode places and paints them."""

    def __init__(self, bullet: Bullet, scene: Scene, models: Sequence[ObjectModel]) -> None:
        self._bullet, self._scene, self._models = bullet, scene, models
        (x, y), thickness = scene.table_half, TABLE_THICKNESS
        self.table = bullet.add_body(
            # Only the top is seen: ten triangles fewer, and no pixel is drawn twice.
            [Box((x, y, thickness / 2), (0.0, 0.0, -thickness / 2))],
            mass=0.0,
            seen=[Mesh("square.obj", scale=(2 * x, 2 * y, 1.0))],
        )
        self.objects = [bullet.add_body(model.parts, model.mass) for model in models]
        self.chosen = 0  # which of them an episode has; the others wait
        self.distractors = [bullet.add_body(d.parts, d.mass) for d in DISTRACTORS] if scene.distractors[1] else []

    @property
    def object(self) -> int:
        """The body to handle."""
        return self.objects[self.chosen]

    @property
    def clutter(self) -> tuple[ObjectModel, ...]:
        """The distractors there are."""
        return DISTRACTORS[: len(self.distractors)]

    def clear(self) -> None:
        """Put everything where nothing touches anything, so that a world saved so keeps no contacts."""
        if len(self.objects) > 1:  # Bullet orders contacts by when a body became movable: in `dress`, whichever it is
            self._bullet.set_mass(self.object, 0.0)
        self._bullet.place(self.object, AWAY, UPRIGHT)
        for body in (*self.objects[: self.chosen], *self.objects[self.chosen + 1 :], *self.distractors):
            self._park(body)

    def dress(self, appearance: Appearance, state: StartState) -> dict[int, Surface]:
        """Paint and place everything for an episode; returns the surfaces of the movable bodies in sight."""
        dynamics = appearance.dynamics
        self._paint(self.table, appearance.table)
        self._bullet.set_contact(self.table, -1, dynamics.table_friction)
        x, y, yaw = appearance.table_pose
        centre = self._scene.table_centre
        self._place(self.table, (centre[0] + x, centre[1] + y, 0.0), yaw)
        self._paint(self.object, appearance.target)
        self._bullet.set_mass(self.object, self._models[self.chosen].mass * dynamics.mass)
        self._bullet.set_contact(self.object, -1, dynamics.friction, spinning=OBJECT_SPIN)
        self._place(self.object, state.object_position.tolist(), state.object_yaw)
        surfaces = {self.object: appearance.target}
        for lying in state.distractors:
            body, model = self.distractors[lying.index], DISTRACTORS[lying.index]
            self._bullet.set_mass(body, model.mass)
            self._place(body, (*lying.place.tolist(), model.rest_height), lying.yaw)
            surfaces[body] = appearance.distractors[lying.index]
            self._paint(body, surfaces[body])
        return surfaces

    def _paint(self, body: int, surface: Surface) -> None:
        self._bullet.set_colour(body, -1, surface.grey)

    def _place(self, body: int, position: Sequence[float], yaw: float) -> None:
        self._bullet.place(body, position, about_z(yaw))

    def _park(self, body: int) -> None:
        self._bullet.set_mass(body, 0.0)  # immovable, or it would fall for ever
        self._bullet.place(body, (0.0, 0.0, PARKED_HEIGHT), UPRIGHT)

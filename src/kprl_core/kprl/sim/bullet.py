"""PyBullet, and the only file that imports it: bodies, motors, contacts, pictures."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kprl.sim.objects import Box, Mesh


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """PyBullet writes its build time and arguments to both streams from C; keep them off the user's console."""
    libc = ctypes.CDLL(None)
    sys.stdout.flush()
    sys.stderr.flush()
    libc.fflush(None)
    null = os.open(os.devnull, os.O_WRONLY)
    saved = [os.dup(stream) for stream in (1, 2)]
    for stream in (1, 2):
        os.dup2(null, stream)
    try:
        yield
    finally:
        libc.fflush(None)
        for stream, original in zip((1, 2), saved, strict=True):
            os.dup2(original, stream)
            os.close(original)
        os.close(null)


with quiet():
    import pybullet
    from pybullet_utils.bullet_client import BulletClient

PHYSICS_HZ = 240
LINK_SHIFT = 24  # bodies are numbered in the low 24 bits of a picture's link numbers, links above
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Light:
    """One directional light: direction towards it (3,), colour (3,) 0 to 1, and the shares of the shading model."""

    direction: tuple[float, float, float]
    colour: tuple[float, float, float]
    ambient: float
    diffuse: float
    specular: float
    shadow: bool


def _shapes(parts: Sequence[Box | Mesh]) -> dict[str, list[Any]]:
    """What PyBullet wants to know of shapes; every list has an entry for each part, those of the other type unused."""
    boxes = [isinstance(part, Box) for part in parts]
    return {
        "shapeTypes": [pybullet.GEOM_BOX if box else pybullet.GEOM_MESH for box in boxes],
        "halfExtents": [part.half if isinstance(part, Box) else (0.0, 0.0, 0.0) for part in parts],
        "fileNames": ["" if isinstance(part, Box) else str(part.path) for part in parts],
        "meshScales": [(1.0, 1.0, 1.0) if isinstance(part, Box) else part.scale for part in parts],
    }


class Bullet:
    """One physics world, headless, gravity along -z, 240 Hz."""

    def __init__(self) -> None:
        with quiet():
            # Public for benchmarks and tests, which look at what PyBullet itself says; nothing else may.
            self.client: Any = BulletClient(connection_mode=pybullet.DIRECT)
        self.client.setGravity(0.0, 0.0, -9.81)
        self.client.setPhysicsEngineParameter(
            fixedTimeStep=1.0 / PHYSICS_HZ, numSolverIterations=50, deterministicOverlappingPairs=1
        )

    def close(self) -> None:
        """End the physics world; closing it again is allowed."""
        if self.client is not None:
            self.client.disconnect()
            self.client = None

    def load_urdf(self, path: Path) -> int:
        """Load a fixed-base robot; returns its body number."""
        body: int = self.client.loadURDF(str(path), useFixedBase=True)
        return body

    def joint_indices(self, body: int) -> dict[str, int]:
        """Joint name to index; a link has the index of its parent joint."""
        count = self.client.getNumJoints(body)
        return {self.client.getJointInfo(body, i)[1].decode(): i for i in range(count)}

    def add_body(
        self, parts: Sequence[Box | Mesh], mass: float, friction: float = 0.8, seen: Sequence[Box | Mesh] | None = None
    ) -> int:
        """Create a rigid body whose origin is its centre of mass; mass 0 makes it immovable.

        `parts` collide, a mesh as its convex hull; they are also what is seen, unless `seen` are others.
        """
        visuals = parts if seen is None else seen
        visual = self.client.createVisualShapeArray(
            **_shapes(visuals), visualFramePositions=[part.centre for part in visuals]
        )
        collision = self.client.createCollisionShapeArray(
            **_shapes(parts), collisionFramePositions=[part.centre for part in parts]
        )
        body: int = self.client.createMultiBody(
            baseMass=mass, baseCollisionShapeIndex=collision, baseVisualShapeIndex=visual
        )
        # PyBullet pads hulls by 1 mm: without the margin they collide where they are seen.
        self.client.changeDynamics(body, -1, lateralFriction=friction, collisionMargin=0.0)
        return body

    @staticmethod
    def link_number(body: int, link: int) -> int:
        """The number that stands for a link (-1 for the base) in the third image of `picture`."""
        return body + ((link + 1) << LINK_SHIFT)

    def set_contact(self, body: int, link: int, friction: float, spinning: float = 0.0) -> None:
        """Friction coefficients of one link (-1 for the base)."""
        self.client.changeDynamics(body, link, lateralFriction=friction, spinningFriction=spinning)

    def couple_joints(self, body: int, first: int, second: int, force: float) -> None:
        """Let two prismatic joints move as one, with at most `force` [N]: what one does, the other does too."""
        gear = self.client.createConstraint(
            body, first, body, second, pybullet.JOINT_GEAR, [1, 0, 0], [0, 0, 0], [0, 0, 0]
        )
        self.client.changeConstraint(gear, gearRatio=-1, erp=0.5, maxForce=force)

    def set_sticky(self, body: int, link: int) -> None:
        """Let contacts of a link that do not slide stay where they are, instead of creeping a millimetre a second."""
        self.client.changeDynamics(body, link, frictionAnchor=1)

    def set_touch(self, body: int, link: int, other: int, touches: bool) -> None:
        """Whether a link collides with another body's base; what touched it no longer does, if not."""
        self.client.setCollisionFilterPair(body, other, link, -1, int(touches))

    def set_mass(self, body: int, mass: float) -> None:
        """Mass [kg] of a body's base."""
        self.client.changeDynamics(body, -1, mass=mass)

    def set_colour(self, body: int, link: int, grey: float) -> None:
        """Paint one link a shade of grey, 0 black to 1 white: the policy's camera sees no colour."""
        self.client.changeVisualShape(body, link, rgbaColor=[grey, grey, grey, 1.0])

    def visual_links(self, body: int) -> list[int]:
        """Indices of the links that have something to see, base is -1, without repetition."""
        return sorted({shape[1] for shape in self.client.getVisualShapeData(body)})

    def place(self, body: int, position: Sequence[float], quaternion: Sequence[float]) -> None:
        """Put a body at a pose, at rest."""
        self.client.resetBasePositionAndOrientation(body, position, quaternion)
        self.client.resetBaseVelocity(body, [0.0, 0.0, 0.0], [0.0, 0.0, 0.0])

    def pose(self, body: int) -> tuple[Array, Array]:
        """Position (3,) [m] and quaternion (4,) xyzw of a body."""
        position, quaternion = self.client.getBasePositionAndOrientation(body)
        return np.array(position), np.array(quaternion)

    def velocity(self, body: int) -> Array:
        """Linear velocity (3,) [m/s] of a body."""
        return np.array(self.client.getBaseVelocity(body)[0])

    def set_joints(self, body: int, joints: Sequence[int], positions: Sequence[float]) -> None:
        """Put joints at positions, at rest, without physics."""
        for joint, position in zip(joints, positions, strict=True):
            self.client.resetJointState(body, joint, position, 0.0)

    def joint_positions(self, body: int, joints: Sequence[int]) -> Array:
        """Positions of joints, [rad] or [m]."""
        return np.array([state[0] for state in self.client.getJointStates(body, joints)])

    def drive_joints(
        self, body: int, joints: Sequence[int], velocities: Sequence[float], forces: Sequence[float]
    ) -> None:
        """Set velocity motors with their largest forces; they hold until set again."""
        self.client.setJointMotorControlArray(
            body, joints, pybullet.VELOCITY_CONTROL, targetVelocities=velocities, forces=forces
        )

    def step(self, count: int) -> None:
        """Advance physics by `count` steps of 1/240 s."""
        for _ in range(count):
            self.client.stepSimulation()

    def find_contacts(self) -> None:
        """Look for contacts without advancing time: after bodies were moved, the known ones are stale."""
        self.client.performCollisionDetection()

    def links_touching(self, body: int, other: int) -> set[int]:
        """The links of `body` that are in contact with `other`."""
        return {contact[3] for contact in self.client.getContactPoints(body, other)}

    def save(self) -> int:
        """Keep the whole physics state in memory, contacts included; returns its number for `restore`."""
        state: int = self.client.saveState()
        return state

    def restore(self, state: int) -> None:
        """Return to a saved state, so that what follows does not depend on what was before."""
        self.client.restoreState(stateId=state)

    def picture(
        self, view: Sequence[float], projection: Sequence[float], width: int, height: int, light: Light
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Render on the CPU: RGBA (H, W, 4) uint8, depth buffer (H, W) 0 to 1, body numbers (H, W) with links.

        The last one holds `link_number`s, and -1 where nothing is seen.
        """
        _, _, rgba, depth, bodies = self.client.getCameraImage(
            width,
            height,
            viewMatrix=view,
            projectionMatrix=projection,
            lightDirection=light.direction,
            lightColor=light.colour,
            lightDistance=3.0,
            lightAmbientCoeff=light.ambient,
            lightDiffuseCoeff=light.diffuse,
            lightSpecularCoeff=light.specular,
            shadow=int(light.shadow),
            flags=pybullet.ER_SEGMENTATION_MASK_OBJECT_AND_LINKINDEX,
            renderer=pybullet.ER_TINY_RENDERER,
        )
        return (
            np.asarray(rgba, dtype=np.uint8).reshape(height, width, 4),
            np.asarray(depth, dtype=np.float32).reshape(height, width),
            np.asarray(bodies, dtype=np.int32).reshape(height, width),
        )

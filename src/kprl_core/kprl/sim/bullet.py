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


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
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


with _quiet():
    import pybullet
    from pybullet_utils.bullet_client import BulletClient

PHYSICS_HZ = 240
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


class Bullet:
    """One physics world, headless, gravity along -z, 240 Hz."""

    def __init__(self) -> None:
        with _quiet():
            self._client: Any = BulletClient(connection_mode=pybullet.DIRECT)
        self._client.setGravity(0.0, 0.0, -9.81)
        self._client.setPhysicsEngineParameter(
            fixedTimeStep=1.0 / PHYSICS_HZ, numSolverIterations=50, deterministicOverlappingPairs=1
        )

    def close(self) -> None:
        """End the physics world; closing it again is allowed."""
        if self._client is not None:
            self._client.disconnect()
            self._client = None

    def load_urdf(self, path: Path) -> int:
        """Load a fixed-base robot; returns its body number."""
        body: int = self._client.loadURDF(str(path), useFixedBase=True)
        return body

    def joint_indices(self, body: int) -> dict[str, int]:
        """Joint name to index; a link has the index of its parent joint."""
        count = self._client.getNumJoints(body)
        return {self._client.getJointInfo(body, i)[1].decode(): i for i in range(count)}

    def add_body(
        self,
        parts: Sequence[tuple[Sequence[float], Sequence[float]]],
        mass: float,
        friction: float = 0.8,
        collides: bool = True,
    ) -> int:
        """Create a rigid body of boxes, each (half sizes (3,), centre (3,)) [m]; mass 0 makes it immovable."""
        types = [pybullet.GEOM_BOX] * len(parts)
        halves = [list(half) for half, _ in parts]
        centres = [list(centre) for _, centre in parts]
        visual = self._client.createVisualShapeArray(shapeTypes=types, halfExtents=halves, visualFramePositions=centres)
        collision = -1
        if collides:
            collision = self._client.createCollisionShapeArray(
                shapeTypes=types, halfExtents=halves, collisionFramePositions=centres
            )
        body: int = self._client.createMultiBody(
            baseMass=mass, baseCollisionShapeIndex=collision, baseVisualShapeIndex=visual
        )
        if collides:
            self._client.changeDynamics(body, -1, lateralFriction=friction)
        return body

    def set_contact(self, body: int, link: int, friction: float, spinning: float = 0.0) -> None:
        """Friction coefficients of one link (-1 for the base)."""
        self._client.changeDynamics(body, link, lateralFriction=friction, spinningFriction=spinning)

    def set_mass(self, body: int, mass: float) -> None:
        """Mass [kg] of a body's base."""
        self._client.changeDynamics(body, -1, mass=mass)

    def set_colour(self, body: int, link: int, grey: float) -> None:
        """Paint one link a shade of grey, 0 black to 1 white: the policy's camera sees no colour."""
        self._client.changeVisualShape(body, link, rgbaColor=[grey, grey, grey, 1.0])

    def visual_links(self, body: int) -> list[int]:
        """Indices of the links that have something to see, base is -1, without repetition."""
        return sorted({shape[1] for shape in self._client.getVisualShapeData(body)})

    def place(self, body: int, position: Sequence[float], quaternion: Sequence[float]) -> None:
        """Put a body at a pose, at rest."""
        self._client.resetBasePositionAndOrientation(body, position, quaternion)
        self._client.resetBaseVelocity(body, [0.0, 0.0, 0.0], [0.0, 0.0, 0.0])

    def pose(self, body: int) -> tuple[Array, Array]:
        """Position (3,) [m] and quaternion (4,) xyzw of a body."""
        position, quaternion = self._client.getBasePositionAndOrientation(body)
        return np.array(position), np.array(quaternion)

    def velocity(self, body: int) -> Array:
        """Linear velocity (3,) [m/s] of a body."""
        return np.array(self._client.getBaseVelocity(body)[0])

    def set_joints(self, body: int, joints: Sequence[int], positions: Sequence[float]) -> None:
        """Put joints at positions, at rest, without physics."""
        for joint, position in zip(joints, positions, strict=True):
            self._client.resetJointState(body, joint, position, 0.0)

    def joint_positions(self, body: int, joints: Sequence[int]) -> Array:
        """Positions of joints, [rad] or [m]."""
        return np.array([state[0] for state in self._client.getJointStates(body, joints)])

    def drive_joints(
        self, body: int, joints: Sequence[int], velocities: Sequence[float], forces: Sequence[float]
    ) -> None:
        """Set velocity motors with their largest forces; they hold until set again."""
        self._client.setJointMotorControlArray(
            body, joints, pybullet.VELOCITY_CONTROL, targetVelocities=velocities, forces=forces
        )

    def step(self, count: int) -> None:
        """Advance physics by `count` steps of 1/240 s."""
        for _ in range(count):
            self._client.stepSimulation()

    def find_contacts(self) -> None:
        """Look for contacts without advancing time: after bodies were moved, the known ones are stale."""
        self._client.performCollisionDetection()

    def touching(self, body: int, link: int, other: int) -> bool:
        """Whether a link of `body` is in contact with `other`."""
        return bool(self._client.getContactPoints(bodyA=body, linkIndexA=link, bodyB=other))

    def save(self) -> int:
        """Keep the whole physics state in memory, contacts included; returns its number for `restore`."""
        state: int = self._client.saveState()
        return state

    def restore(self, state: int) -> None:
        """Return to a saved state, so that what follows does not depend on what was before."""
        self._client.restoreState(stateId=state)

    def picture(
        self, view: Sequence[float], projection: Sequence[float], width: int, height: int, light: Light
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """Render on the CPU: RGBA (H, W, 4) uint8, depth buffer (H, W) 0 to 1, body numbers (H, W) with links.

        The last one holds body + (link + 1) << 24, and -1 where nothing is seen.
        """
        _, _, rgba, depth, bodies = self._client.getCameraImage(
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
